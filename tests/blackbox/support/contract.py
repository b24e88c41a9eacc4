"""docs/api/openapi.yaml as the server gives it out: its operations, and whether an answer is what they promise."""
import dataclasses
import functools
import re
import urllib.parse

try:
    import jsonschema
    import referencing
except ImportError:
    jsonschema = None

METHODS = ("get", "head", "post", "put", "patch", "delete")
HOME = "urn:contract"


def rebased(value):
    """References within the document, made to name the document: schemas are looked at one by one."""
    if isinstance(value, dict):
        return {key: HOME + inner if key == "$ref" and inner.startswith("#") else rebased(inner)
                for key, inner in value.items()}
    return [rebased(inner) for inner in value] if isinstance(value, list) else value


@dataclasses.dataclass(frozen=True)
class Operation:
    id: str
    method: str
    path: str
    server: str
    permissions: tuple  # what it takes, one of these
    success: int
    own: bool
    definition: dict = dataclasses.field(hash=False, compare=False)

    def url(self, **values):
        """Path values as they are: encoding is the caller's."""
        return self.server + re.sub(r"\{(\w+)\}", lambda part: str(values[part[1]]), self.path)

    def route(self):
        """As the server's router names it."""
        return f"{self.method} {self.path.strip('/')}"


class Contract:
    def __init__(self, document):
        self.document = document
        registry = referencing.Registry().with_resource(
            HOME, referencing.Resource.from_contents(rebased(document), referencing.jsonschema.DRAFT202012))
        self._validator = functools.partial(
            jsonschema.Draft202012Validator, registry=registry,
            format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER)
        self.operations = {}
        for path, item in document["paths"].items():
            server = item.get("servers", document["servers"])[0]["url"].rstrip("/")
            for method in METHODS:
                if method not in item:
                    continue
                definition = item[method]
                permissions = definition["x-required-permission"]
                operation = Operation(
                    definition["operationId"], method.upper(), path, server,
                    (permissions,) if isinstance(permissions, str) else tuple(permissions),
                    min(int(status) for status in definition["responses"] if status != "default"),
                    definition.get("x-entrepot-own", False), definition)
                if operation.id in self.operations:
                    raise AssertionError(f"{operation.id} twice")
                self.operations[operation.id] = operation

    def __getitem__(self, name):
        return self.operations[name]

    def resolve(self, value):
        while "$ref" in value:
            value = functools.reduce(lambda at, key: at[key], value["$ref"][2:].split("/"), self.document)
        return value

    @functools.lru_cache(maxsize=None)
    def _schema_validator(self, operation, status, media_type):
        answers = operation.definition["responses"]
        if status not in answers and (status.startswith("2") or "default" not in answers):
            return None
        content = self.resolve(answers.get(status, answers.get("default"))).get("content", {})
        if media_type not in content:
            return None
        return self._validator(rebased(content[media_type]["schema"]))

    def problems(self, operation, answer):
        """What an answer has that it should not; empty when it keeps the contract."""
        status = str(answer.status)
        answers = operation.definition["responses"]
        if status not in answers and (answer.status < 400 or "default" not in answers):
            return [f"status {status} is not among {sorted(answers)}"]
        found = []
        described = self.resolve(answers.get(status, answers.get("default")))
        for name in described.get("headers", {}):
            if name in ("Location", "X-Total-Count", "ETag", "WWW-Authenticate") and name not in answer.headers:
                found.append(f"{name} is missing")
        if "X-Request-Id" not in answer.headers:
            found.append("X-Request-Id is missing")
        if not answer.body:
            if described.get("content") and operation.method != "HEAD":
                found.append("the body is missing")
            return found
        media_type = answer.headers.get("Content-Type", "").split(";")[0]
        validator = self._schema_validator(operation, status, media_type)
        if validator is None:
            return [*found, f"{media_type or 'a body without type'} is not among {sorted(described.get('content', {}))}"]
        if media_type == "application/json":
            for error in validator.iter_errors(answer.json()):
                found.append(f"{error.json_path}: {error.message[:300]}")
        return found


def quoted(text):
    return urllib.parse.quote(str(text), safe="")
