"""Settings come from INFERENCE_ variables, and what cannot be meant is refused at the start."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from inference.settings import Settings


def test_defaults_serve_one_version_of_each_model(monkeypatch):
    """Without any variable: digits v1 and fraud v1 from .inkmesh/models."""
    monkeypatch.delenv("INFERENCE_SERVE", raising=False)
    settings = Settings()
    assert settings.served == (("digits", "v1"), ("fraud", "v1"))
    assert str(settings.models) == ".inkmesh/models"


def test_environment_is_read(monkeypatch):
    """INFERENCE_SERVE names versions; the deployment's own INFERENCE_VERSION is another thing."""
    monkeypatch.setenv("INFERENCE_SERVE", "digits=v2, digits=v3")
    monkeypatch.setenv("INFERENCE_VERSION", "v7")
    settings = Settings()
    assert settings.served == (("digits", "v2"), ("digits", "v3"))
    assert settings.version == "v7"


def test_kubernetes_own_variables_do_no_harm(monkeypatch):
    """A Service named inference puts INFERENCE_PORT and others into every pod."""
    monkeypatch.setenv("INFERENCE_PORT", "tcp://10.0.0.1:8080")
    monkeypatch.setenv("INFERENCE_SERVICE_HOST", "10.0.0.1")
    assert Settings().http_port == 8080


@pytest.mark.parametrize(
    "serve", ["", "digits", "digits=", "=v1", "digits=1", "digits=v1,", "digits=v1,digits=v1", "../x=v1"]
)
def test_nonsense_is_refused(serve):
    """What is not a list of NAME=VERSION, or names one twice, or would leave the folder, is an error."""
    with pytest.raises(ValidationError):
        Settings(serve=serve)
