"""What goes over the wire, as types: the service's OpenAPI document is made of these."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request

from lafd.detector import Options
from lafd.serve.refusals import RefusedError

PICTURE_TYPES = {"image/png": ".png", "image/jpeg": ".jpg", "image/webp": ".webp"}  # of annotated pictures


class Parameters(BaseModel):
    """How to detect; what is left out takes the model's default."""

    model_config = ConfigDict(extra="forbid")

    model: str | None = Field(None, description="Name of the model; see /v1/models.", examples=["base"])
    size: int | None = Field(
        None,
        ge=32,
        le=16384,
        description="Longer side at which the network sees a picture, in pixels.",
        examples=[640],
    )
    resize_scale: float | None = Field(
        None, gt=0, allow_inf_nan=False, description="Scales pictures by this factor instead of to `size`."
    )
    turned: bool = Field(
        False,
        description="Looks also at pictures turned by 90, 180 and 270 degrees; takes more than four times as long.",
    )
    confidence: float | None = Field(
        None, ge=0, le=1, allow_inf_nan=False, description="Least score.", examples=[0.4]
    )
    iou: float | None = Field(
        None,
        ge=0,
        le=1,
        allow_inf_nan=False,
        description="Of two boxes that overlap by more than this, only the better one stays.",
    )
    max_faces: int | None = Field(None, ge=1, description="Keeps only so many faces, the best.")
    min_face: float | None = Field(
        None, ge=0, allow_inf_nan=False, description="Drops faces whose longer side is shorter, in pixels."
    )

    background: str = Field(
        "ffffff",
        pattern="^[0-9a-fA-F]{6}$",
        description="Colour behind transparent pixels, red, green and blue in hexadecimal.",
    )

    @classmethod
    def of(cls, request: Request) -> Parameters:
        """The parameters of a request; read here, because FastAPI takes ten times as long for it.

        Raises:
            RefusedError: A parameter is unknown or out of its range.
        """
        try:
            return cls.model_validate(dict(request.query_params))
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
        name = str(first["loc"][-1])[:100]
        if first["type"] == "extra_forbidden":
            raise RefusedError(
                422, f"there is no parameter {name!r}; there are {', '.join(cls.model_fields)}."
            )
        raise RefusedError(422, f"the parameter {name} is wrong: {first['msg']}.")

    def options(self, max_pixels: int) -> Options:
        """The library's options; pictures of more pixels are refused."""
        red, green, blue = bytes.fromhex(self.background)
        return Options(
            size=self.size,
            resize_scale=self.resize_scale,
            turned=self.turned,
            confidence=self.confidence,
            iou=self.iou,
            max_faces=self.max_faces,
            min_face=self.min_face,
            background=(red, green, blue),
            max_pixels=max_pixels,
        )


class Base64Images(BaseModel):
    """The JSON form of a request."""

    model_config = ConfigDict(extra="forbid")

    images: list[str] = Field(description="Encoded pictures, each in base64.")


class FaceOut(BaseModel):
    """One face."""

    box: Annotated[list[float], Field(min_length=4, max_length=4)] = Field(
        description="x1, y1, x2, y2 in pixels of the upright picture; right and bottom exclusive."
    )
    score: float = Field(ge=0, le=1, description="How sure the model is.")


class PictureFaces(BaseModel):
    """The faces of one picture, best score first."""

    name: str | None = Field(description="The file name that the picture was sent with.")
    width: int
    height: int
    faces: list[FaceOut]


class PictureFailure(BaseModel):
    """Why one picture of several has no result."""

    name: str | None
    error: str


class DetectResponse(BaseModel):
    """One entry per picture, in the order of the request."""

    model: str
    results: list[PictureFaces | PictureFailure]


class ModelOut(BaseModel):
    """A model on offer, with its defaults."""

    name: str
    description: str
    date: str
    licence: str
    size: int
    confidence: float
    iou: float
    box_rule: str


class ModelsResponse(BaseModel):
    """The models on offer."""

    default: str
    models: list[ModelOut]


class Failure(BaseModel):
    """Every answer that is not a success."""

    error: str = Field(description="One sentence that says what is wrong.")


class Health(BaseModel):
    """The service is well."""

    status: str = Field(examples=["ok"])


DETECT_EXAMPLE = {
    "model": "base",
    "results": [
        {
            "name": "friends.png",
            "width": 1280,
            "height": 720,
            "faces": [{"box": [334.21, 174.02, 451.9, 291.55], "score": 0.9312}],
        },
        {
            "name": "broken.png",
            "error": "cannot read the picture: it is truncated; copy or download it again.",
        },
    ],
}

_BINARY = {"type": "string", "format": "binary"}

REQUEST_BODY: dict[str, Any] = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["image"],
                "properties": {"image": {"type": "array", "items": _BINARY, "minItems": 1}},
            },
        },
        "application/octet-stream": {"schema": _BINARY},
        **{kind: {"schema": _BINARY} for kind in PICTURE_TYPES},
        "application/json": {
            "schema": Base64Images.model_json_schema(),
            "examples": {
                "pixel": {
                    "summary": "One white pixel, as PNG",
                    "value": {
                        "images": [
                            "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGP4DwABAQEAG7buVgAAAABJRU5ErkJggg=="
                        ]
                    },
                }
            },
        },
    },
}


def described(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    """A parameter of the address for OpenAPI, from its field's JSON schema."""
    kind = schema.get("anyOf", [schema])[0]  # the other is null, which an address cannot say
    kept = {key: value for key, value in kind.items() if key not in ("title", "description")}
    examples = {"examples": schema["examples"]} if "examples" in schema else {}
    description = {"description": schema["description"]}
    return {"name": name, "in": "query", "required": False, **description, "schema": {**kept, **examples}}


QUERY = [described(name, schema) for name, schema in Parameters.model_json_schema()["properties"].items()]


def failures(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """OpenAPI's description of unsuccessful answers."""
    reasons = {
        401: "The key is missing or wrong.",
        406: "The answer cannot be given in the form that `Accept` asks for.",
        408: "The body came too slowly.",
        413: "The body or the number of pictures is over the limit.",
        415: "The body is of a type that is not accepted.",
        422: "A parameter is wrong, or no picture of the request can be read.",
        429: "The service is busy; try again after the seconds in `Retry-After`.",
        503: "The service cannot answer in time.",
    }
    described: dict[int | str, dict[str, Any]] = {}
    for status in statuses:
        described[status] = {"model": Failure, "description": reasons[status]}
    if 429 in described:
        described[429]["headers"] = {
            "Retry-After": {"schema": {"type": "integer"}, "description": "Seconds."}
        }
    return described
