"""What a field of the API means, in both languages."""

from __future__ import annotations

from typing import Any

from pydantic import Field


def said(en: str, ru: str, **more: Any) -> Any:
    """A field with what it means in both languages."""
    return Field(description=en, json_schema_extra={"x-description-ru": ru}, **more)
