"""gRPC onto the predictor: `inference.GRPCInferenceService`. It only translates."""

from __future__ import annotations

import asyncio

import grpc.aio

from contracts import open_inference_pb2 as wire
from inference.administration import Administrator
from inference.errors import BadInput
from inference.http import extensions
from inference.predictor import InferRequest, Predictor
from inference.protocol import ELSEWHERE, MAX_PARAMETERS
from inference.tensors import Tensor, TensorSpec
from runtime.http import Service

_HasParameters = (
    wire.ModelInferRequest | wire.ModelInferRequest.InferInputTensor | wire.ModelInferRequest.InferRequestedOutputTensor
)
Context = grpc.aio.ServicerContext[object, object]

# Where typed contents of a datatype stand.
_CONTENTS = {
    "FP32": "fp32_contents",
    "FP64": "fp64_contents",
    "INT8": "int_contents",
    "INT16": "int_contents",
    "INT32": "int_contents",
    "INT64": "int64_contents",
    "UINT8": "uint_contents",
    "UINT16": "uint_contents",
    "UINT32": "uint_contents",
    "UINT64": "uint64_contents",
    "BOOL": "bool_contents",
}


class Servicer:
    """The service's methods; runtime wraps each with errors, metrics and provenance."""

    def __init__(self, predictor: Predictor, service: Service, administrator: Administrator) -> None:
        self._predictor = predictor
        self._service = service
        self._administrator = administrator

    async def ServerLive(self, _: wire.ServerLiveRequest, __: Context) -> wire.ServerLiveResponse:  # noqa: N802
        """The server answers."""
        return wire.ServerLiveResponse(live=True)

    async def ServerReady(self, _: wire.ServerReadyRequest, __: Context) -> wire.ServerReadyResponse:  # noqa: N802
        """Every served model is ready."""
        return wire.ServerReadyResponse(ready=self._service.health.ready)

    async def ModelReady(self, request: wire.ModelReadyRequest, _: Context) -> wire.ModelReadyResponse:  # noqa: N802
        """The model is ready; UNAVAILABLE while it is not, as over HTTP."""
        self._predictor.repository.get(request.name, request.version)
        return wire.ModelReadyResponse(ready=True)

    async def ServerMetadata(self, _: wire.ServerMetadataRequest, __: Context) -> wire.ServerMetadataResponse:  # noqa: N802
        """Name, version, extensions."""
        return wire.ServerMetadataResponse(
            name="inkmesh-inference",
            version=self._service.settings.version,
            extensions=extensions(self._administrator),
        )

    async def ModelMetadata(self, request: wire.ModelMetadataRequest, _: Context) -> wire.ModelMetadataResponse:  # noqa: N802
        """Versions, platform, inputs and outputs."""
        repository = self._predictor.repository
        model = repository.get(request.name, request.version)
        return wire.ModelMetadataResponse(
            name=model.name,
            versions=repository.versions(model.name),
            platform=model.platform,
            inputs=[_metadata(model.input)],
            outputs=[_metadata(spec) for spec in model.outputs],
        )

    async def ModelInfer(self, request: wire.ModelInferRequest, _: Context) -> wire.ModelInferResponse:  # noqa: N802
        """Predict; raw contents are answered raw, typed contents typed."""
        self._predictor.admission.enter()
        _check_parameters(request)
        asked = InferRequest(_inputs(request), [output.name for output in request.outputs], request.id)
        prediction = await self._predictor.infer(request.model_name, request.model_version, asked)
        model = prediction.model
        response = wire.ModelInferResponse(model_name=model.name, model_version=model.version, id=request.id)
        for name, value in request.parameters.items():
            response.parameters[name].CopyFrom(value)
        response.parameters["digest"].string_param = model.digest
        for spec, array in prediction.outputs:
            output = response.outputs.add(name=spec.name, datatype=spec.datatype, shape=array.shape)
            if request.raw_input_contents:
                response.raw_output_contents.append(array.tobytes())
            else:
                getattr(output.contents, _CONTENTS[spec.datatype]).extend(array.ravel().tolist())
        return response

    async def RepositoryIndex(  # noqa: N802
        self, request: wire.RepositoryIndexRequest, context: Context
    ) -> wire.RepositoryIndexResponse:
        """Every served version and its state."""
        self._permit(context)
        return wire.RepositoryIndexResponse(
            models=[
                wire.RepositoryIndexResponse.ModelIndex(
                    name=entry.name, version=entry.version, state=entry.state, reason=entry.reason
                )
                for entry in self._predictor.repository.index()
                if entry.state == "READY" or not request.ready
            ]
        )

    async def RepositoryModelLoad(  # noqa: N802
        self, request: wire.RepositoryModelLoadRequest, context: Context
    ) -> wire.RepositoryModelLoadResponse:
        """Load a model anew."""
        self._permit(context)
        await asyncio.to_thread(self._predictor.repository.load, request.model_name)
        return wire.RepositoryModelLoadResponse()

    async def RepositoryModelUnload(  # noqa: N802
        self, request: wire.RepositoryModelUnloadRequest, context: Context
    ) -> wire.RepositoryModelUnloadResponse:
        """Serve a model no more."""
        self._permit(context)
        await asyncio.to_thread(self._predictor.repository.unload, request.model_name)
        return wire.RepositoryModelUnloadResponse()

    def _permit(self, context: Context) -> None:
        metadata = {key: str(value) for key, value in context.invocation_metadata() or ()}
        self._administrator.check(metadata.get("authorization", ""))


def _check_parameters(request: wire.ModelInferRequest) -> None:
    holders: tuple[_HasParameters, ...] = (request, *request.inputs, *request.outputs)
    for holder in holders:
        if not (parameters := holder.parameters):
            continue
        if len(parameters) > MAX_PARAMETERS:
            raise BadInput(f"There may be up to {MAX_PARAMETERS} parameters.")
        if not ELSEWHERE.isdisjoint(parameters):
            raise BadInput(f"Not served here: {', '.join(sorted(ELSEWHERE))}.")


def _inputs(request: wire.ModelInferRequest) -> list[Tensor]:
    raw = request.raw_input_contents
    if raw:
        if len(raw) != len(request.inputs) or any(_has_contents(item) for item in request.inputs):
            raise BadInput("raw_input_contents must be one an input; then no input has contents.")
        return [
            Tensor(item.name, item.datatype, item.shape[:], data)
            for item, data in zip(request.inputs, raw, strict=True)
        ]
    return [_typed(item) for item in request.inputs]


def _has_contents(item: wire.ModelInferRequest.InferInputTensor) -> bool:
    # MLServer's client leaves an empty message there.
    return item.HasField("contents") and bool(item.contents.ListFields())


def _typed(item: wire.ModelInferRequest.InferInputTensor) -> Tensor:
    field = _CONTENTS.get(item.datatype)
    data = getattr(item.contents, field) if field else ()
    if field and any(descriptor.name != field for descriptor, _ in item.contents.ListFields()):
        raise BadInput("An input's contents must stand in the field of its datatype.")
    return Tensor(item.name, item.datatype, item.shape[:], data, checked=True)


def _metadata(spec: TensorSpec) -> wire.ModelMetadataResponse.TensorMetadata:
    return wire.ModelMetadataResponse.TensorMetadata(name=spec.name, datatype=spec.datatype, shape=spec.shape)
