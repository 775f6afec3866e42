"""KServe's ModelServer with a scikit-learn model, as its documents have it: python kserve_server.py MODEL HTTP GRPC."""

import sys

import joblib
from kserve import InferOutput, InferRequest, InferResponse, Model, ModelServer


class Digits(Model):
    """Logistic regression behind the protocol."""

    def __init__(self) -> None:
        super().__init__("digits")
        self.model = joblib.load(sys.argv[1])
        self.ready = True

    def predict(self, payload: InferRequest, headers: dict[str, str] | None = None) -> InferResponse:  # noqa: ARG002
        """Label and probabilities of each row."""
        rows = payload.inputs[0].as_numpy()
        label, probabilities = self.model.predict(rows), self.model.predict_proba(rows)
        outputs = []
        for name, datatype, array in (("label", "INT64", label), ("probabilities", "FP64", probabilities)):
            output = InferOutput(name, list(array.shape), datatype)
            output.set_data_from_numpy(array, binary_data=False)
            outputs.append(output)
        return InferResponse(payload.id or "", "digits", outputs)


if __name__ == "__main__":
    ModelServer(http_port=int(sys.argv[2]), grpc_port=int(sys.argv[3]), workers=1, enable_docs_url=False).start(
        [Digits()]
    )
