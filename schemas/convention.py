"""Conventions of Hanabi: ordered rules from what my partner did to what I do. An instruction compiles to one.

A rule has a condition (`when`), the moves that it asks for (`then`, any of them) and those that it forbids
(`never`). The first rule whose condition holds decides; if none does, `otherwise`. Cards are named by position
(A..E, 1st..5th, oldest, newest; A is the oldest) or by the hint (hinted, leftmost hinted, unhinted). A rule that asks
for nothing (`then` and `never` empty) leaves the player free; one whose moves do not exist after some event, as an
unhinted card after a hint of the whole hand, is passed over there.
"""

import re
from collections.abc import Sequence
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

Happened = Literal["nothing", "discard", "play", "hint_color", "hint_rank", "hint", "anything"]
Color = Literal["red", "yellow", "green", "white", "blue"]
Rank = Literal[1, 2, 3, 4, 5]
BY_HINT = ("hinted", "leftmost_hinted", "rightmost_hinted", "unhinted")
BY_AGE = ("oldest", "newest")
MAX_HAND = 25


def position_index(card: str, hand_size: int) -> int:
    """Return the index, from the oldest card, of a position: A.., 1st.., oldest, newest.

    Raises ValueError naming the positions of such a hand if it has no card there.
    """
    if card in BY_AGE:
        return 0 if card == "oldest" else hand_size - 1
    index = -1
    if re.fullmatch("[A-Y]", card):
        index = ord(card) - ord("A")
    elif ordinal := re.fullmatch(r"([1-9]\d?)(st|nd|rd|th)", card):
        number = int(ordinal[1])
        suffix = "th" if number in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
        index = number - 1 if ordinal[2] == suffix else -1
    if not 0 <= index < hand_size:
        last = chr(ord("A") + hand_size - 1)
        raise ValueError(
            f"no card position {card!r} in a hand of {hand_size}; known are A to {last}, "
            f"1st, 2nd and so on, {', '.join(BY_AGE)}"
        )
    return index


def _known_position(card: str) -> str:
    position_index(card, MAX_HAND)
    return card


Position = Annotated[str, AfterValidator(_known_position)]


def _known_cards(cards: str) -> str:
    return cards if cards in ("any", *BY_HINT) else _known_position(cards)


class Part(BaseModel):
    """Base of every part of a program: frozen, and unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class When(Part):
    """What my partner did last: the condition of a rule. What is left out may be anything."""

    happened: Happened = Field(description="the kind of the move; hint is either kind of hint")
    color: Color | None = Field(None, description="the hinted color")
    rank: Rank | None = Field(None, description="the hinted rank")
    fewest: int = Field(1, ge=1, le=MAX_HAND, description="at least so many cards were hinted")
    most: int | None = Field(None, ge=1, le=MAX_HAND, description="at most so many cards were hinted")
    card: Position | None = Field(None, description="the card that was discarded or played, or one of those hinted")

    @property
    def is_hint(self) -> bool:
        """Whether only a hint to me meets the condition, so that there are hinted cards."""
        return self.happened in ("hint", "hint_color", "hint_rank")

    @model_validator(mode="after")
    def _check(self) -> Self:
        for name, kinds in (("color", ("hint_color",)), ("rank", ("hint_rank",))):
            if getattr(self, name) is not None and self.happened not in kinds:
                raise ValueError(f"{name}: only {' or '.join(kinds)} has one, not {self.happened}")
        if not self.is_hint and (self.fewest != 1 or self.most is not None):
            raise ValueError(f"fewest, most: they count hinted cards, and {self.happened} hints none")
        if self.most is not None and self.most < self.fewest:
            raise ValueError(f"most: {self.most} is less than fewest, {self.fewest}")
        if self.card is not None and self.happened in ("nothing", "anything"):
            raise ValueError(f"card: {self.happened} has no card")
        return self

    def words(self) -> str:
        """Say the condition: my partner hints the color of 1 or more of my cards."""
        if self.happened == "nothing":
            return "nobody has moved yet"
        if self.happened == "anything":
            return "my partner does anything"
        if self.happened in ("discard", "play"):
            which = "a card" if self.card is None else f"their {position_words(self.card)}"
            return f"my partner {self.happened}s {which}"
        what = {"hint": "the color or rank", "hint_color": "the color", "hint_rank": "the rank"}[self.happened]
        value = self.color or (f"{self.rank}" if self.rank else "")
        words = f"my partner hints {what}{f' {value}' if value else ''} of {self._count()}"
        return words + (f", my {position_words(self.card)} among them" if self.card else "")

    def _count(self) -> str:
        if self.most is None:
            return "some of my cards" if self.fewest == 1 else f"{self.fewest} or more of my cards"
        if self.most == self.fewest:
            return "one of my cards" if self.most == 1 else f"{self.most} of my cards"
        return f"{self.fewest} to {self.most} of my cards"


class Do(Part):
    """A pattern of moves: one kind of move, any of its values unless one is given.

    `hint_playable`, to hint a playable card, allows every hint: conventions answer the partner's last move, and that
    does not show which cards are playable. It is refused in `never`, where it would forbid hints that are meant to be
    allowed.
    """

    action: Literal["play", "discard", "hint_color", "hint_rank", "hint_playable"]
    cards: Annotated[str, AfterValidator(_known_cards)] = Field(
        "any",
        description="for play and discard: any, hinted, leftmost_hinted, rightmost_hinted, unhinted or a position",
    )
    color: Color | None = Field(None, description="for hint_color: this color only")
    rank: Rank | None = Field(None, description="for hint_rank: this rank only")

    @model_validator(mode="after")
    def _check(self) -> Self:
        for name, kind in (("color", "hint_color"), ("rank", "hint_rank")):
            if getattr(self, name) is not None and self.action != kind:
                raise ValueError(f"{name}: {self.action} has none; {kind} does")
        if self.cards != "any" and self.action.startswith("hint"):
            raise ValueError(f"cards: {self.action} chooses no card of mine; play and discard do")
        return self

    def words(self) -> str:
        """Say the moves: play the hinted cards; hint color."""
        if self.action == "hint_playable":
            return "give any hint (a playable card is meant, but the last move does not show which are)"
        if self.action.startswith("hint"):
            value = self.color or self.rank
            return self.action.replace("_", " ") + (f" {value}" if value else "")
        cards = {
            "any": "any card",
            "hinted": "the hinted cards",
            "leftmost_hinted": "the leftmost hinted card",
            "rightmost_hinted": "the rightmost hinted card",
            "unhinted": "a card that was not hinted",
        }
        return f"{self.action} {cards.get(self.cards) or f'my {position_words(self.cards)}'}"


class Response(Part):
    """What I do: any of `then` (all moves if it is empty), and none of `never`."""

    then: tuple[Do, ...] = ()
    never: tuple[Do, ...] = ()

    @field_validator("never")
    @classmethod
    def _exact(cls, never: tuple[Do, ...]) -> tuple[Do, ...]:
        if any(do.action == "hint_playable" for do in never):
            raise ValueError(
                "never: hint_playable cannot be forbidden, the last move does not show which cards are playable; "
                "hint_color and hint_rank can"
            )
        return never

    def words(self) -> str:
        """Say what I do: play the hinted cards, and never discard any card."""
        wanted = " or ".join(do.words() for do in self.then)
        banned = " or ".join(do.words() for do in self.never)
        never = f"never {banned}" if banned else ""
        return " and ".join(filter(None, (wanted, never))) or "do anything"


class Rule(Response):
    """If `when` holds, this is what I do."""

    when: When

    @model_validator(mode="after")
    def _check(self) -> Self:
        _need_hint(self, self.when.is_hint)
        return self


class Convention(Part):
    """Ordered rules; the first whose condition holds decides, and `otherwise` where none does."""

    name: str = Field(min_length=1)
    instruction: str = Field("", description="the convention as a person would say it")
    hand_size: int = Field(5, ge=1, le=MAX_HAND, description="cards in a hand; positions must be among them")
    rules: tuple[Rule, ...] = ()
    otherwise: Response = Response()

    @model_validator(mode="after")
    def _check(self) -> Self:
        if all(not response.then and not response.never for response in (*self.rules, self.otherwise)):
            raise ValueError("rules: they ask for nothing and forbid nothing; a convention does one of them")
        _need_hint(self.otherwise, False)
        for rule in (*self.rules, self.otherwise):
            cards = [do.cards for do in (*rule.then, *rule.never)]
            if isinstance(rule, Rule) and rule.when.card is not None:
                cards.append(rule.when.card)
            for card in cards:
                if card not in ("any", *BY_HINT):
                    position_index(card, self.hand_size)
        return self

    def words(self) -> str:
        """Say the whole convention in plain words."""
        rules = [f"If {rule.when.words()}, I {rule.words()}." for rule in self.rules]
        return " ".join([*rules, f"{'Otherwise' if rules else 'Always'}, I {self.otherwise.words()}."])


def position_words(card: str) -> str:
    """Say a position: card A, 1st card, newest card."""
    return f"card {card}" if card.isupper() else f"{card} card"


def _need_hint(response: Response, hinted: bool) -> None:
    moves: Sequence[Do] = (*response.then, *response.never)
    wrong = next((do for do in moves if do.cards in BY_HINT and not hinted), None)
    if wrong is not None:
        raise ValueError(f"cards: {wrong.cards} needs a rule about a hint; here no card is hinted for sure")
