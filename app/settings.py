"""Settings from the environment (``PERKPASS_*``, secrets also as ``PERKPASS_*_FILE``).

Every fault is reported at once, with the variable's name. The README's table is checked against this file.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.errors import Misconfigured

PREFIX = "PERKPASS_"
_SECRET_BYTES = 32


class Settings(BaseSettings):
    """Everything an operator can set. Frozen: a process keeps the settings it started with."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore")

    data_dir: Path = Field(Path("data"), description="where the SQLite file, the keys and the sockets lie")
    database_url: str = Field("", description="sqlite:///… or postgresql://…; empty: a file in DATA_DIR")
    redis_url: str = Field("", description="redis://…; empty: one machine, a local socket wakes the worker")
    public_url: str = Field(
        "http://127.0.0.1:8000", description="what guests and phones reach us at, without a path"
    )
    host: str = Field("127.0.0.1", description="address to listen on")
    port: Annotated[int, Field(ge=1, le=65535)] = Field(8000, description="port to listen on")
    web_processes: Annotated[int, Field(ge=1, le=64)] = Field(1, description="web processes (`perkpass web`)")
    web_threads: Annotated[int, Field(ge=1, le=16)] = Field(4, description="blocking threads per web process")
    trusted_proxies: Annotated[int, Field(ge=0, le=5)] = Field(
        0, description="how many proxies in front of us set X-Forwarded-*"
    )
    secret_key: SecretStr = Field(SecretStr(""), description="signs links; empty: made once in DATA_DIR")
    pass_key: SecretStr = Field(
        SecretStr(""),
        description="derives authentication tokens; empty: made once in DATA_DIR. Never change it",
    )
    metrics_token: SecretStr = Field(
        SecretStr(""), description="bearer token for /metrics; empty: loopback only"
    )
    templates_dir: Path = Field(
        Path(__file__).parent.parent / "pass_templates", description="folders of pass templates"
    )
    apns_url: str = Field("https://api.push.apple.com", description="Apple's push service (production only)")
    apns_ca: Path | None = Field(None, description="certificate authority of APNS_URL; empty: the system's")
    apns_connections: Annotated[int, Field(ge=1, le=4)] = Field(2, description="connections per certificate")
    push_expiration_days: Annotated[int, Field(ge=1, le=30)] = Field(
        7, description="how long Apple keeps a push"
    )
    push_coalesce_seconds: Annotated[float, Field(ge=0, le=3600)] = Field(
        10, description="changes within this time share one trailing push"
    )
    push_budget_receipt: Annotated[float, Field(ge=0)] = Field(
        2.0, description="phone's score receipts may use"
    )
    push_budget_campaign: Annotated[float, Field(ge=0)] = Field(
        0.3, description="phone's score campaigns may use"
    )
    push_lease_seconds: Annotated[float, Field(ge=1, le=600)] = Field(
        30, description="lease of a claimed push"
    )
    retag_minutes: Annotated[float, Field(gt=0)] = Field(
        15, description="a pass listed but not fetched for so long is listed and pushed again"
    )
    worker_poll_seconds: Annotated[float, Field(ge=0.05, le=5)] = Field(
        1, description="poll beneath the wake-ups"
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="least severe line logged"
    )
    log_format: Literal["json", "console"] = Field(
        "json", description="one JSON object a line, or for people"
    )

    @model_validator(mode="before")
    @classmethod
    def _read_secret_files(cls, values: dict[str, Any]) -> dict[str, Any]:
        for name in ("secret_key", "pass_key", "metrics_token"):
            variable = f"{PREFIX}{name.upper()}_FILE"
            if path := os.environ.get(variable):
                try:
                    values[name] = Path(path).read_text(encoding="utf-8").strip()
                except OSError as fault:
                    raise ValueError(f"{variable}: cannot read {path}: {fault.strerror}") from fault
        return values

    @model_validator(mode="after")
    def _check(self) -> Self:
        faults = []
        public = urlsplit(self.public_url)
        if public.scheme not in ("http", "https") or not public.hostname or public.path.strip("/"):
            faults.append(f"{PREFIX}PUBLIC_URL must be like https://cards.example.com, without a path")
        if not self.apns_url.startswith("https://"):
            faults.append(f"{PREFIX}APNS_URL must begin with https://")
        if self.apns_ca and not self.apns_ca.is_file():
            faults.append(f"{PREFIX}APNS_CA: no such file: {self.apns_ca}")
        if self.database_url and not self.database_url.startswith(
            ("sqlite:///", "postgresql://", "postgresql+psycopg://")
        ):
            faults.append(f"{PREFIX}DATABASE_URL must begin with sqlite:/// or postgresql://")
        if self.redis_url and not self.redis_url.startswith(("redis://", "rediss://", "unix://")):
            faults.append(f"{PREFIX}REDIS_URL must begin with redis://, rediss:// or unix://")
        for name in ("secret_key", "pass_key"):
            secret = getattr(self, name).get_secret_value()
            if secret and len(secret) < _SECRET_BYTES:
                faults.append(f"{PREFIX}{name.upper()} must have at least {_SECRET_BYTES} characters")
        if faults:
            raise ValueError("\n".join(faults))
        return self

    @property
    def resolved_database_url(self) -> str:
        """DATABASE_URL, or the SQLite file in the data directory."""
        return self.database_url or f"sqlite:///{self.data_dir.resolve() / 'perkpass.db'}"

    @property
    def embedded(self) -> bool:
        """One machine with SQLite: migrations run by themselves and a local socket wakes the worker."""
        return self.resolved_database_url.startswith("sqlite")

    @property
    def web_service_url(self) -> str:
        """Apple's ``webServiceURL``: one constant for every pass, without ``/v1``."""
        return f"{self.public_url.rstrip('/')}/passkit"

    @property
    def public_is_loopback(self) -> bool:
        """Whether http is excusable: nobody but this machine can reach the public URL."""
        return urlsplit(self.public_url).hostname in ("127.0.0.1", "::1", "localhost")


def load() -> Settings:
    """Read the environment; raises :class:`Misconfigured` with one line for every fault."""
    try:
        return Settings()
    except ValidationError as invalid:
        faults: list[str] = []
        for error in invalid.errors():
            message = error["msg"].removeprefix("Value error, ")
            name = "_".join(str(part) for part in error["loc"]).upper()
            faults += message.splitlines() if not name else [f"{PREFIX}{name}: {message}"]
        raise Misconfigured(*faults) from None


def kept_secret(settings: Settings, name: Literal["secret_key", "pass_key"]) -> bytes:
    """The secret from the environment, or the one kept in the data directory, made at first use (0600)."""
    given: str = getattr(settings, name).get_secret_value()
    if given:
        return given.encode()
    path = settings.data_dir / name
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        # Linked into place complete: two processes that start together must agree on one secret.
        draft = path.with_name(f".{name}.{secrets.token_hex(4)}")
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(_SECRET_BYTES), encoding="ascii")
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
        return path.read_bytes().strip()
    except OSError as fault:
        raise Misconfigured(f"{path}: cannot keep the {name.replace('_', ' ')}: {fault.strerror}") from fault
