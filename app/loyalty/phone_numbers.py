"""Phone numbers as guests write them, kept in E.164."""

from __future__ import annotations

from app.errors import BadInput

LONGEST_PHONE = 40
"""Characters of what is read: spaces, brackets and a national prefix included."""


def checked_phone(words: str, *, region: str) -> str | None:
    """The number in E.164; None for nothing. Raises :class:`BadInput` for what cannot be a mobile number.

    ``region`` (ISO 3166-1 alpha-2) is where a number without "+" is from. Only the length is judged: number
    ranges are opened every month, and whoever refuses what they do not know yet refuses guests.
    """
    # Imported here: it knows every country, and most brands ask for no number.
    import phonenumbers

    if not words.strip():
        return None
    try:
        number = phonenumbers.parse(words[: LONGEST_PHONE + 1], region)
    except phonenumbers.NumberParseException:
        number = None
    mobile = phonenumbers.PhoneNumberType.MOBILE
    if (
        number is None
        or len(words.strip()) > LONGEST_PHONE
        or not phonenumbers.is_possible_number_for_type(number, mobile)
    ):
        raise BadInput(
            "bad-phone", "This is no mobile number: write it with its country code.", field="phone"
        )
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def region_of(number: str) -> str | None:
    """Which country (ISO 3166-1 alpha-2) a number in E.164 is of; None for one that no guest's phone has.

    Numbers that cost the caller or the called one more (premium rate, shared cost, toll-free), those of
    companies and pagers, and landlines are none of a guest's. Nor is a range that nobody has been given yet,
    as far as the package of numbering plans knows: texts to such ranges are what pumping earns from.
    """
    import phonenumbers

    try:
        parsed = phonenumbers.parse(number, None)
    except phonenumbers.NumberParseException:
        return None
    kinds = phonenumbers.PhoneNumberType
    special = (
        kinds.PREMIUM_RATE,
        kinds.SHARED_COST,
        kinds.TOLL_FREE,
        kinds.UAN,
        kinds.PAGER,
        kinds.VOICEMAIL,
        kinds.FIXED_LINE,
    )
    if not phonenumbers.is_valid_number(parsed) or phonenumbers.number_type(parsed) in special:
        return None
    region = phonenumbers.region_code_for_number(parsed)
    return region if region and region.isalpha() else None  # "001": of no country, such as satellites
