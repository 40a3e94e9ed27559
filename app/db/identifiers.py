"""One NewType per identifier, so that mypy sees a device where a pass was meant."""

from __future__ import annotations

from typing import NewType

BrandId = NewType("BrandId", int)
UserId = NewType("UserId", int)
"""Somebody who signs in to the console; a staff member need not be one."""
UserSessionId = NewType("UserSessionId", int)
InvitationId = NewType("InvitationId", int)
StaffMemberId = NewType("StaffMemberId", int)
PointOfSaleKeyId = NewType("PointOfSaleKeyId", int)
VenueId = NewType("VenueId", int)
PlacementId = NewType("PlacementId", int)
InstallLinkId = NewType("InstallLinkId", int)
VisitId = NewType("VisitId", str)
"""32 hexadecimal characters, random."""

ProgrammeId = NewType("ProgrammeId", int)
MemberId = NewType("MemberId", int)
PhoneCodeId = NewType("PhoneCodeId", int)
EnrolmentId = NewType("EnrolmentId", int)
"""A member in a programme: one card, one balance, one tier."""
ReceiptId = NewType("ReceiptId", int)
LedgerEntryId = NewType("LedgerEntryId", int)
OfferId = NewType("OfferId", int)
OfferGrantId = NewType("OfferGrantId", int)
"""An offer on one guest's card."""

DesignId = NewType("DesignId", int)
DraftId = NewType("DraftId", int)
RolloutId = NewType("RolloutId", int)
WalletPassId = NewType("WalletPassId", int)
DeviceId = NewType("DeviceId", int)
"""Our row for (device library identifier, pass type identifier); never Apple's string."""
DeliveryId = NewType("DeliveryId", int)
GoogleIssuerId = NewType("GoogleIssuerId", str)
"""Google's number of who issues classes and objects: digits, as Google writes it."""
GoogleClassId = NewType("GoogleClassId", int)
"""Our row for a loyalty class; never Google's string."""
GoogleObjectId = NewType("GoogleObjectId", int)
"""Our row for a loyalty object; never Google's string."""
GoogleBroadcastId = NewType("GoogleBroadcastId", int)
"""Our row for a message to all holders of a loyalty class."""

CampaignId = NewType("CampaignId", int)

PassTypeIdentifier = NewType("PassTypeIdentifier", str)
SerialNumber = NewType("SerialNumber", str)
DeviceLibraryIdentifier = NewType("DeviceLibraryIdentifier", str)
PushToken = NewType("PushToken", str)
UpdateTag = NewType("UpdateTag", int)
CardCode = NewType("CardCode", str)
"""The opaque code in the card's barcode: what a till reads to name a guest."""
