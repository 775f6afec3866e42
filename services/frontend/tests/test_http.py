"""The frontend as a browser and a probe see it."""

import re

import pytest

from frontend.bootstrap import STATIC

FILES = sorted(path.relative_to(STATIC).as_posix() for path in STATIC.rglob("*") if path.is_file())


def test_the_page_is_served_under_a_strict_policy(get):
    """GET / is HTML that may load and call nothing but this origin, and be framed by nobody."""
    answer = get("/")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"


def test_the_page_itself_keeps_its_policy():
    """No inline script or style, and no address of another origin, in any file that is served."""
    for name in FILES:
        text = (STATIC / name).read_text()
        assert re.findall(r"(?:https?:)?//(?!www\.w3\.org/2000/svg)[\w.-]+\.\w+/", text) == [], name
        if name.endswith(".html"):
            assert re.findall(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=|javascript:", text) == []


@pytest.mark.parametrize("name", FILES)
def test_each_file_is_served_with_a_tag_and_its_type(get, name):
    """Every static file has a media type, an ETag, and is asked for again before it is used."""
    answer = get(f"/static/{name}")
    assert answer.status_code == 200
    assert answer.content == (STATIC / name).read_bytes()
    assert answer.headers["cache-control"] == "no-cache"
    assert re.fullmatch(r'"[0-9a-f]{32}"', answer.headers["etag"])


@pytest.mark.parametrize("form", ["{tag}", "W/{tag}", '"other", {tag}', "*"])
def test_a_browser_that_has_the_file_is_told_so(get, form):
    """If-None-Match with the file's tag, in any form HTTP has, gives 304 without a body."""
    tag = get("/static/js/app.js").headers["etag"]
    answer = get("/static/js/app.js", **{"if-none-match": form.format(tag=tag)})
    assert (answer.status_code, answer.content) == (304, b"")
    assert answer.headers["etag"] == tag
    assert get("/static/js/app.js", **{"if-none-match": '"other"'}).status_code == 200


def test_head_answers_without_a_body(get):
    """HEAD gives the headers of GET."""
    answer = get("/", "HEAD")
    assert (answer.status_code, answer.content) == (200, b"")
    assert int(answer.headers["content-length"]) > 1000


@pytest.mark.parametrize(
    "path", ["/nothing", "/static/", "/static/js/nothing.js", "/static/../settings.py", "/api/v1/x"]
)
def test_an_unknown_path_is_a_problem(get, path):
    """What the page does not have is 404 as application/problem+json."""
    answer = get(path)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == "/problems/not-found"


def test_nothing_is_taken(get):
    """A method that changes things is 405."""
    assert get("/", "POST").status_code == 405


def test_it_is_probed_and_names_itself(get):
    """Both probes answer, and each answer names this hop."""
    assert get("/healthz/live").status_code == 200
    assert get("/healthz/ready").status_code == 200
    assert get("/").headers["x-inkmesh-path"] == 'frontend;version="v1";replica="frontend-0";attempt=1'


def test_every_import_and_link_exists():
    """Each module that a script imports, and each file that the page links, is there."""
    page = (STATIC / "index.html").read_text()
    linked = re.findall(r'(?:href|src)="/static/([^"]+)"', page)
    imported = [
        f"js/{name}" for path in STATIC.glob("js/*.js") for name in re.findall(r'from "\./(.+?)"', path.read_text())
    ]
    assert set(linked + imported) <= set(FILES)
    reached = {*linked, *imported, "index.html"}
    assert set(FILES) == reached, "a file that nothing uses"
