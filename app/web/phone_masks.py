"""How mobile numbers are grouped in every country, as the line of ``static/phone.js`` that says it.

The script cannot ask phonenumbers, so the line is made from it: ``python -m app.web.phone_masks`` writes it
anew. A test tells when it is due.
"""

from __future__ import annotations

import re
from pathlib import Path

import phonenumbers
from phonenumbers import PhoneMetadata, PhoneNumberFormat, PhoneNumberType

SCRIPT = Path(__file__).parent / "static" / "phone.js"
_LINE = re.compile(r'(?<=const MASKS = ")[^"]*(?=")')


def masks() -> str:
    """``7=10:3 3-2-2;998=9:2 3 2 2``: calling code, possible lengths, and how one number is grouped."""
    countries = []
    for calling_code, regions in sorted(phonenumbers.COUNTRY_CODE_TO_REGION_CODE.items()):
        metadata = PhoneMetadata.metadata_for_region(regions[0], None)
        example = phonenumbers.example_number_for_type(regions[0], PhoneNumberType.MOBILE)
        if not (metadata and metadata.mobile and example):  # satellites and the like: no guest's phone
            continue
        possible = metadata.mobile.possible_length
        written = phonenumbers.format_number(example, PhoneNumberFormat.INTERNATIONAL)
        groups = re.sub(r"\d+", lambda digits: str(len(digits[0])), written.partition(" ")[2])
        countries.append(f"{calling_code}={','.join(map(str, sorted(possible)))}:{groups}")
    return ";".join(countries)


def with_masks(script: str) -> str:
    """The script with the line made anew."""
    return _LINE.sub(lambda _: masks(), script, count=1)


if __name__ == "__main__":
    SCRIPT.write_text(with_masks(SCRIPT.read_text(encoding="utf-8")), encoding="utf-8")
