"""Settings from the environment (``PERKPASS_*``, secrets also as ``PERKPASS_*_FILE``).

Every fault is reported at once, with the variable's name. The README's table is checked against this file.
Nothing here needs the database's library: the supervisor of ``perkpass run`` stays small.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from app import addresses
from app.errors import Misconfigured

PREFIX = "PERKPASS_"
KEY_CHARACTERS = 32
"""The least length of the pass key and the secret key."""
SECRETS = ("secret_key", "pass_key", "metrics_token", "database_url", "redis_url")
"""Settings that may lie in a file that ``PERKPASS_…_FILE`` names; addresses hold passwords."""
_TESTS = f"{PREFIX}TEST_"  # what tells our own tests which servers to use


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
    web_threads: Annotated[int, Field(ge=1, le=16)] = Field(
        4, description="requests a web process works on at a time"
    )
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
    sms_file: Path | None = Field(
        None, description="logins of SMS gateways and the brands that use them; empty: no texts"
    )
    google_wallet_url: str = Field(
        "https://walletobjects.googleapis.com", description="Google Wallet's interface"
    )
    google_token_url: str = Field(
        "https://oauth2.googleapis.com/token", description="where service accounts sign in"
    )
    google_save_url: str = Field(
        "https://pay.google.com/gp/v/save",
        description="what links that save a card to Google Wallet begin with",
    )
    google_callback_keys_url: str = Field(
        "https://pay.google.com/gp/m/issuer/keys", description="the keys that Google signs callbacks with"
    )
    google_requests_per_second: Annotated[float, Field(gt=0, le=1000)] = Field(
        20, description="calls of Google Wallet's interface per issuer, by all processes together"
    )
    google_timeout_seconds: Annotated[float, Field(ge=1, le=20)] = Field(
        10, description="how long Google's answer to one call is waited for"
    )
    campaign_rate: Annotated[float, Field(ge=1, le=100_000)] = Field(
        1500, description="guests a second that a campaign speaks to at most: their phones come at once"
    )
    worker_poll_seconds: Annotated[float, Field(ge=0.05, le=5)] = Field(
        1, description="poll beneath the wake-ups"
    )
    worker_metrics_port: Annotated[int, Field(ge=0, le=65535)] = Field(
        0, description="a worker's own metrics, on this port of 127.0.0.1; 0: not served"
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="least severe line logged"
    )
    log_format: Literal["json", "console"] = Field(
        "json", description="one JSON object a line, or for people"
    )

    @field_validator("public_url")
    @classmethod
    def _check_public_url(cls, url: str) -> str:
        return addresses.web_address(url, schemes=("http", "https"), example="https://cards.example.com")

    @field_validator("apns_url")
    @classmethod
    def _check_apns_url(cls, url: str) -> str:
        return addresses.web_address(url, schemes=("https",), example="https://api.push.apple.com")

    @field_validator("google_wallet_url", "google_token_url", "google_save_url", "google_callback_keys_url")
    @classmethod
    def _check_google_url(cls, url: str) -> str:
        return addresses.party_address(url, example="https://pay.google.com/gp/v/save")

    @field_validator("apns_ca", "sms_file")
    @classmethod
    def _check_file(cls, path: Path | None) -> Path | None:
        if path and not path.is_file():
            raise ValueError(f"no such file: {path}")
        return path

    @field_validator("database_url")
    @classmethod
    def _check_database_url(cls, url: str) -> str:
        return addresses.database_address(url) if url else url

    @field_validator("redis_url")
    @classmethod
    def _check_redis_url(cls, url: str) -> str:
        return addresses.redis_address(url) if url else url

    @field_validator("secret_key", "pass_key")
    @classmethod
    def _check_key(cls, key: SecretStr) -> SecretStr:
        if 0 < len(key.get_secret_value()) < KEY_CHARACTERS:
            raise ValueError(f"must have at least {KEY_CHARACTERS} characters")
        return key

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
    faults = _unknown(os.environ)
    from_files, unreadable = _read_files(os.environ)
    faults += unreadable
    try:
        settings = Settings(**from_files)  # type: ignore[arg-type]  # texts, which pydantic makes into fields
    except ValidationError as invalid:
        for error in invalid.errors():
            name = f"{PREFIX}{'_'.join(str(part) for part in error['loc']).upper()}"
            faults.append(f"{name}: {error['msg'].removeprefix('Value error, ')}")
        raise Misconfigured(*faults) from None
    if faults:
        raise Misconfigured(*faults)
    return settings


def _unknown(environment: Mapping[str, str]) -> list[str]:
    """A variable whose name is mistyped would be silently without effect."""
    names = [f"{PREFIX}{name.upper()}" for name in Settings.model_fields]
    names += [f"{PREFIX}{name.upper()}_FILE" for name in SECRETS]
    faults = []
    for variable in sorted(environment):
        if not variable.upper().startswith(PREFIX) or variable.upper().startswith(_TESTS):
            continue
        if variable.upper() not in names:
            near = get_close_matches(variable.upper(), names, n=1)
            advice = f"did you mean {near[0]}?" if near else "the README lists every setting"
            faults.append(f"{variable} is no setting: {advice}")
    return faults


def _read_files(environment: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """What the ``PERKPASS_…_FILE`` hold, by the name of the setting; and what is wrong with them."""
    values: dict[str, str] = {}
    faults: list[str] = []
    for name in SECRETS:
        variable = f"{PREFIX}{name.upper()}"
        if not (path := environment.get(f"{variable}_FILE")):
            continue
        if environment.get(variable):
            faults.append(f"{variable} and {variable}_FILE are both set: keep one of them")
        try:
            text = Path(path).read_text(encoding="utf-8").strip()
        except OSError as fault:
            faults.append(f"{variable}_FILE: cannot read {path}: {fault.strerror}")
        except ValueError:
            faults.append(
                f"{variable}_FILE: {path} is not a text in UTF-8: write a secret of printable letters"
            )
        else:
            if text:
                values[name] = text
            else:
                faults.append(f"{variable}_FILE: {path} is empty")
    return values, faults
