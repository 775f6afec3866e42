"""OpenAPI of what FastAPI cannot see: the infer calls read their body themselves."""

from __future__ import annotations

from typing import Any

from inference.tensors import DATATYPES, MAX_ROWS

LINKS = {
    "predict": "/predict?feature_1=0&feature_2=1&feature_3=2",
    "features": "feature_1: credits in thousands; feature_2: top-ups in the last hour; feature_3: card risk, 0 to 3",
    "models": "/v2/models/digits",
    "documentation": "/docs",
}

_PROBLEM: dict[str, Any] = {
    "content": {
        "application/problem+json": {
            "schema": {
                "type": "object",
                "required": ["type", "title", "status", "detail", "instance", "error"],
                "properties": {
                    "type": {"type": "string"},
                    "title": {"type": "string"},
                    "status": {"type": "integer"},
                    "detail": {"type": "string"},
                    "instance": {"type": "string", "description": "the request's id"},
                    "error": {"type": "string", "description": "the protocol's own member: the same as detail"},
                },
            }
        }
    }
}


def _problem(description: str) -> dict[str, Any]:
    return {"description": description, **_PROBLEM}


_PARAMETERS = {"type": "object", "additionalProperties": {"type": ["string", "number", "boolean"]}}
_NUMBERS = {"type": "array", "items": {"type": ["number", "array"]}, "description": "flat, or nested as the shape says"}
_SHAPE = {"type": "array", "items": {"type": "integer"}}
_REQUEST = {
    "type": "object",
    "required": ["inputs"],
    "properties": {
        "id": {"type": "string", "maxLength": 1024},
        "parameters": _PARAMETERS,
        "inputs": {
            "type": "array",
            "minItems": 1,
            "maxItems": 1,
            "items": {
                "type": "object",
                "required": ["name", "shape", "datatype"],
                "properties": {
                    "name": {"type": "string"},
                    "shape": _SHAPE | {"description": f"[rows, width], 1 to {MAX_ROWS} rows"},
                    "datatype": {"enum": list(DATATYPES)},
                    "parameters": _PARAMETERS,
                    "data": _NUMBERS,
                },
            },
        },
        "outputs": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["name"],
                "properties": {"name": {"enum": ["label", "probabilities"]}, "parameters": _PARAMETERS},
            },
        },
    },
    "example": {
        "inputs": [{"name": "features", "shape": [1, 3], "datatype": "FP32", "data": [0.05, 0, 0]}],
        "outputs": [{"name": "label"}],
    },
}
_ANSWER = {
    "type": "object",
    "required": ["model_name", "model_version", "parameters", "outputs"],
    "properties": {
        "model_name": {"type": "string"},
        "model_version": {"type": "string"},
        "id": {"type": "string"},
        "parameters": _PARAMETERS | {"description": "the request's own, and the model's `digest`"},
        "outputs": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "name": {"type": "string"},
                    "shape": _SHAPE,
                    "datatype": {"type": "string"},
                    "data": _NUMBERS,
                },
            },
        },
    },
}

INFER: dict[str, Any] = {
    "responses": {
        200: {"description": "The prediction", "content": {"application/json": {"schema": _ANSWER}}},
        400: _problem("The request does not fit the protocol or the model"),
        404: _problem("No such model or version"),
        503: _problem("The model is not ready yet, or too many calls are waiting"),
        504: _problem("The model did not answer in time"),
    },
    "openapi_extra": {
        "requestBody": {
            "required": True,
            "description": "JSON; or, with Inference-Header-Content-Length, so many bytes of JSON and then the inputs' "
            "own bytes (little-endian, row-major), of each that has `binary_data_size` in its parameters. "
            "`binary_data_output`, or an output's `binary_data`, asks for an answer of the same form.",
            "content": {
                "application/json": {"schema": _REQUEST},
                "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
            },
        }
    },
}
CARD: dict[str, Any] = {
    "responses": {
        200: {
            "description": "What it was made from, how good it is, and where not to use it",
            "content": {"application/json": {}, "text/markdown": {}, "text/html": {}},
        },
        404: _problem("No such model or version"),
        503: _problem("The model is not ready yet"),
    }
}
ADMINISTRATION: dict[int | str, dict[str, Any]] = {
    403: _problem("Only for the holder of the administrator's token; off where none is set"),
    404: _problem("No such model"),
    409: _problem("The model's files were refused; nothing changed"),
}
PREDICT: dict[int | str, dict[str, Any]] = {
    422: _problem("A feature is missing, or not a number that the model takes"),
    503: _problem("The model is not ready yet"),
}
