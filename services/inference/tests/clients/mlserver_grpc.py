"""MLServer's own gRPC stubs and converters, against 127.0.0.1: gRPC port. Silent when all is as it should be."""

import sys

import grpc
import numpy as np
from mlserver.codecs import NumpyCodec
from mlserver.grpc import dataplane_pb2_grpc
from mlserver.grpc.converters import ModelInferRequestConverter, ModelInferResponseConverter
from mlserver.types import InferenceRequest

ROW = np.array([[0, 0, 5, 13, 9, 1, 0, 0] * 8], np.float32)

with grpc.insecure_channel(f"127.0.0.1:{sys.argv[1]}") as channel:
    stub = dataplane_pb2_grpc.GRPCInferenceServiceStub(channel)
    for raw in (False, True):
        request = InferenceRequest(id="seven", inputs=[NumpyCodec.encode_input("pixels", ROW)])
        message = ModelInferRequestConverter.from_types(request, "digits", "v2", use_raw=raw)
        answer = ModelInferResponseConverter.to_types(stub.ModelInfer(message, timeout=10))
        assert answer.id == "seven"
        outputs = {output.name: NumpyCodec.decode_output(output) for output in answer.outputs}
        assert outputs["probabilities"].shape == (1, 10)
        assert outputs["probabilities"].argmax() == outputs["label"].item()
