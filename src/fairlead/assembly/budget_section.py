"""The section of the settings that says what may be spent."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from ..core.budgets import LEAST_OUTPUT, AssumedPrice, BudgetLimit, BudgetOptions, money_of
from ..core.errors import ConfigurationError
from ..core.windows import Period  # noqa: TC001 - pydantic reads it
from .section import Section


def _money(value: object) -> Decimal:
    try:
        return money_of("it", value)
    except ConfigurationError as error:
        raise ValueError(str(error)) from None


Money = Annotated[Decimal | int | float | str, AfterValidator(_money)]


class BudgetEntry(BaseModel):
    """One limit of the budgets."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid", frozen=True)

    scope: str = Field("global", description="`global`, or the tag whose values have one each.")
    only: str | None = Field(None, description="The one value of the tag that is meant.")
    money: Money | None = Field(None, description="US dollars.")
    tokens: int | None = Field(None, ge=0, description="Input and output together.")
    calls: int | None = Field(None, ge=0, description="Attempts that are sent.")
    per: Period | None = Field(None, description="Of the calendar, in UTC.")
    rolling: float | None = Field(None, gt=0, description="Seconds of a window that ends now.")
    soft: float | None = Field(None, gt=0, le=1, description="The share that is warned of.")

    def __str__(self) -> str:
        return str(self.limit)

    @property
    def limit(self) -> BudgetLimit:
        """The same for the policy."""
        return BudgetLimit(**self.model_dump())

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        try:
            _ = self.limit
        except ConfigurationError as error:
            raise ValueError(str(error)) from None
        return self


class BudgetSettings(Section):
    """What may be spent. Without limits nothing is counted."""

    limits: tuple[BudgetEntry, ...] = Field(
        (),
        description="Each with `scope`, `only`, `money`, `tokens`, `calls`, `per` or `rolling`, "
        "`soft`.",
    )
    bound: Literal["expected", "strict"] = Field(
        "expected", description="What is reserved: what is likely, or what is possible."
    )
    unpriced: Literal["deny", "allow"] = Field(
        "deny", description="Whether models of unknown price may be asked."
    )
    assumed_input: Money | None = Field(
        None, description="US dollars that they are taken to cost for a million tokens of input."
    )
    assumed_output: Money | None = Field(None, description="The same of output.")
    on_store_failure: Literal["allow", "deny"] = Field(
        "allow", description="Whether calls are made while the books cannot be read."
    )
    output: int | None = Field(
        None, ge=1, description="`max_tokens` where nobody knows how much a model may answer."
    )
    file: str | None = Field(
        None, description="Where the books are kept for all processes; without it, in this one."
    )
    lease: float | None = Field(
        None, gt=0, description="Seconds after which a dead process's reservations are dealt with."
    )
    abandoned: Literal["spent", "expire"] = Field(
        "spent", description="What becomes of them: they are presumed spent, or released."
    )

    @model_validator(mode="after")
    def _assumes_both(self) -> Self:
        if (self.assumed_input is None) != (self.assumed_output is None):
            msg = "assumed_input and assumed_output make one price; set both"
            raise ValueError(msg)
        return self

    @property
    def options(self) -> BudgetOptions | None:
        """The same for the policy; None if nothing is limited."""
        if not self.limits:
            return None
        unpriced: Literal["deny", "allow"] | AssumedPrice = self.unpriced
        if self.assumed_input is not None and self.assumed_output is not None:
            unpriced = AssumedPrice(input=self.assumed_input, output=self.assumed_output)
        given: dict[str, int] = {}
        if self.output is not None:
            given = {"output": self.output, "least_output": min(self.output, LEAST_OUTPUT)}
        return BudgetOptions(
            limits=tuple(entry.limit for entry in self.limits),
            bound=self.bound,
            unpriced=unpriced,
            on_store_failure=self.on_store_failure,
            **given,
        )
