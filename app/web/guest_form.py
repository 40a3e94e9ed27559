"""The install page's form: what is asked, what was written, and what is wrong with it.

The script in static/guest.js judges by the same rules while the guest types; this judges in the end.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

from babel.core import get_global
from flask import request
from flask_babel import gettext as _

from app.accounts.brands import Brand
from app.errors import BadInput
from app.loyalty.enrolment import LONGEST_NAME, checked_name
from app.loyalty.phone_numbers import LONGEST_PHONE, checked_phone
from app.web import consent_texts
from app.web.language import current_language

_ANYWHERE = "RU"  # where a time zone belongs to no country
_NOWHERE = "ZZ"  # as the CLDR calls it


@dataclass(slots=True)
class FilledForm:
    """What a guest wrote, and what is wrong with it by field."""

    name: str = ""
    phone: str = ""
    number: str | None = None  # the phone in E.164, if it is one
    ticked: set[str] = field(default_factory=set)
    errors: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PhoneCountry:
    """How a number looks where the brand is."""

    calling_code: str
    trunk: str  # what is dialled in place of the calling code at home; may be empty
    example: str


def read_form(brand: Brand) -> FilledForm:
    """The request's form, judged."""
    texts = consent_texts.consent_texts(brand, current_language())
    filled = FilledForm(request.form.get("name", ""))
    filled.ticked = {text.purpose for text in texts if request.form.get(text.purpose) == "yes"}
    try:
        checked_name(filled.name)
    except BadInput as wrong:
        filled.errors["name"] = _name_words()["long" if wrong.code == "name-too-long" else "wrong"]
    if brand.asks_phone != "no":
        _read_phone(brand, filled)
    if request.form.get("wording") != consent_texts.wording(texts):
        # They would have agreed to other words than we would keep as evidence.
        filled.ticked = set()
        filled.errors["data"] = _("These words have changed. Please read and tick them again.")
    elif any(text.needed and text.purpose not in filled.ticked for text in texts):
        filled.errors["data"] = _consent_words()["missing"]
    return filled


def form_values(brand: Brand, filled: FilledForm) -> dict[str, object]:
    """What the template draws the fields from."""
    texts = consent_texts.consent_texts(brand, current_language())
    return {
        "wording": consent_texts.wording(texts),
        "name": filled.name,
        "name_length": LONGEST_NAME,
        "name_words": _name_words(),
        "phone": phone_values(brand, filled.phone) if brand.asks_phone != "no" else None,
        "consent_words": _consent_words(),
        "consents": [
            {
                "purpose": text.purpose,
                "text": text.text,
                "policy": text.policy,
                "needed": text.needed,
                "ticked": text.purpose in filled.ticked,
            }
            for text in texts
        ],
    }


def _read_phone(brand: Brand, filled: FilledForm) -> None:
    filled.phone = request.form.get("phone", "")
    try:
        filled.number = checked_phone(filled.phone, region=region(brand.time_zone))
    except BadInput:
        filled.errors["phone"] = _phone_words()["wrong"]
    else:
        if filled.number is None and _is_needed(brand):
            filled.errors["phone"] = _phone_words()["missing"]


def _is_needed(brand: Brand) -> bool:
    return brand.asks_phone in ("needed", "proved")


def phone_values(brand: Brand, written: str) -> dict[str, object]:
    """What the template draws the field for a number from."""
    country = phone_country(region(brand.time_zone))
    return {
        "value": written,
        "length": LONGEST_PHONE,
        "needed": _is_needed(brand),
        "proved": brand.asks_phone == "proved",
        "calling_code": country.calling_code,
        "trunk": country.trunk,
        "example": country.example,
        "words": _phone_words(),
    }


def spelt(number: str) -> str:
    """An E.164 number as people of its country write it, to be looked at once more."""
    import phonenumbers

    parsed = phonenumbers.parse(number)
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def region(time_zone: str) -> str:
    """The country (ISO 3166-1 alpha-2) whose clock it is."""
    found = str(get_global("zone_territories").get(time_zone, _ANYWHERE))
    return found if len(found) == 2 and found.isalpha() and found != _NOWHERE else _ANYWHERE


@lru_cache(maxsize=32)
def phone_country(of_region: str) -> PhoneCountry:
    """Calling code, trunk prefix and an example of a mobile number, as that country writes it."""
    import phonenumbers

    mobile = phonenumbers.PhoneNumberType.MOBILE
    metadata = phonenumbers.PhoneMetadata.metadata_for_region(of_region, None)
    example = phonenumbers.example_number_for_type(of_region, mobile)
    if metadata is None or example is None:
        return phone_country(_ANYWHERE)
    return PhoneCountry(
        str(metadata.country_code),
        metadata.national_prefix or "",
        phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.INTERNATIONAL),
    )


def _name_words() -> dict[str, str]:
    return {
        "long": _("Please shorten the name: %(most)s characters fit on the card.", most=LONGEST_NAME),
        "wrong": _("This name holds a character that cannot be printed on the card."),
    }


def _phone_words() -> dict[str, str]:
    return {
        "missing": _("We need your mobile number for the card."),
        "wrong": _("This does not look like a mobile number yet. Include the country code."),
    }


def _consent_words() -> dict[str, str]:
    return {"missing": _("Without this consent we cannot make your card.")}
