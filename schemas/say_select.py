"""Conventions of Say-Select: ordered rules from the number that my partner said to what I select.

The same form as schemas.convention: the first rule whose condition holds decides, `otherwise` where none does; a rule
whose picks do not exist for some number (higher than 5) is passed over there. Bob sees the number just said and no
older one, so two things can be meant that this number does not show: that a number is said a second time (`repeated`)
and whose turn it is when picks take turns (`alternate`). Either answer is then allowed, and the words say so.
"""

from typing import Literal, Self

from pydantic import Field, model_validator

from schemas.convention import Part

Number = Literal[1, 2, 3, 4, 5]
NUMBERS: tuple[Number, ...] = (1, 2, 3, 4, 5)


class Said(Part):
    """What my partner said: one of `numbers`, and, if `repeated`, the same number as the time before."""

    numbers: tuple[Number, ...] = Field(NUMBERS, min_length=1, description="the numbers that meet the condition")
    repeated: bool = Field(False, description="only when it is the same number as the time before")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if list(self.numbers) != sorted(set(self.numbers)):
            raise ValueError(f"numbers: {list(self.numbers)}; each once, in rising order")
        return self

    def words(self) -> str:
        """Say the condition: my partner says 1 or 3 twice in a row."""
        which = "a number" if self.numbers == NUMBERS else _either([str(n) for n in self.numbers])
        return f"my partner says {which}{' twice in a row' if self.repeated else ''}"


class Pick(Part):
    """A pattern of selections.

    same: the number said. opposite: 6 minus it. shift: `by` higher, counted around (one higher than 5 is 1). higher,
    lower: any number above or below it. number: this ball, any ball if no `number` is given. quit: end the game.
    """

    action: Literal["same", "opposite", "shift", "higher", "lower", "number", "quit"]
    by: int | None = Field(None, ge=-4, le=4, description="for shift: so many higher, negative for lower")
    number: Number | None = Field(None, description="for number: this ball only")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.action == "shift") != bool(self.by):
            raise ValueError(f"by: {self.by}; shift has one other than 0, and nothing else has")
        if self.number is not None and self.action != "number":
            raise ValueError(f"number: {self.action} has none; number does")
        return self

    def words(self) -> str:
        """Say the pick: select the number that is 2 higher than theirs."""
        if self.by:
            around = "after 5 comes 1" if self.by > 0 else "before 1 comes 5"
            return f"select the number that is {abs(self.by)} {'higher' if self.by > 0 else 'lower'} ({around})"
        return {
            "same": "select the same number",
            "opposite": "select the opposite number (5 for 1, 4 for 2)",
            "higher": "select any higher number",
            "lower": "select any lower number",
            "number": f"select {self.number or 'any number'}",
            "quit": "quit",
        }[self.action]


class Selection(Part):
    """What I do: any of `then` (everything if it is empty), in turn if they `alternate`, and none of `never`."""

    then: tuple[Pick, ...] = ()
    never: tuple[Pick, ...] = ()
    alternate: bool = Field(False, description="the picks of `then` take turns")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.alternate and len(self.then) < 2:
            raise ValueError("alternate: two picks or more can take turns")
        return self

    def words(self) -> str:
        """Say what I do: select 2 or quit, and never select the same number."""
        wanted = " or ".join(pick.words() for pick in self.then)
        if self.alternate:
            wanted += " in turn (either may come, the last number does not show whose turn it is)"
        banned = " or ".join(pick.words() for pick in self.never)
        return " and ".join(filter(None, (wanted, banned and f"never {banned}"))) or "do anything"


class SelectionRule(Selection):
    """If `when` holds, this is what I do."""

    when: Said


class NumberConvention(Part):
    """Ordered rules of Say-Select; the first whose condition holds decides, and `otherwise` where none does."""

    name: str = Field(min_length=1)
    instruction: str = Field("", description="the convention as a person would say it")
    rules: tuple[SelectionRule, ...] = ()
    otherwise: Selection = Selection()

    @model_validator(mode="after")
    def _check(self) -> Self:
        if all(not part.then and not part.never for part in (*self.rules, self.otherwise)):
            raise ValueError("rules: they ask for nothing and forbid nothing; a convention does one of them")
        return self

    def words(self) -> str:
        """Say the whole convention in plain words."""
        rules = [f"If {rule.when.words()}, I {rule.words()}." for rule in self.rules]
        return " ".join([*rules, f"{'Otherwise' if rules else 'Always'}, I {self.otherwise.words()}."])


def _either(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"
