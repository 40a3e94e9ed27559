"""Stamps: how far the next reward is, and how many are there to be had. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from app.loyalty.rules import StampRules


@dataclass(frozen=True, slots=True)
class StampCard:
    """How a number of stamps reads on the card."""

    stamps: int  # all that were not yet given for a reward
    for_reward: int
    rewards: int  # that may be had now
    missing: int  # stamps to the next reward that is not earned yet


def card(rules: StampRules, stamps: int) -> StampCard:
    """What ``stamps`` stamps amount to."""
    rewards, begun = divmod(stamps, rules.for_reward)
    return StampCard(stamps, rules.for_reward, rewards, rules.for_reward - begun)
