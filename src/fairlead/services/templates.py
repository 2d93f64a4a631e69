"""
Prompts from Jinja templates, which need the extra `fairlead[templates]`.

A template is whole in itself: it includes no other, so its digest says all that it says.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from ..core.errors import ConfigurationError, TemplateError

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from ..core.provider import ProviderPort
    from ..core.results import TokenCount


class RenderedPrompt(str):
    """A prompt, which is a `str` in every respect, with the template that it was made from."""

    __slots__ = ("template",)

    template: PromptTemplate

    def __new__(cls, text: str, template: PromptTemplate) -> Self:
        self = super().__new__(cls, text)
        self.template = template
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (str(self), self.template)


@dataclass(frozen=True, slots=True)
class PromptTemplate:
    """
    A prompt with places to fill in, in Jinja's language.

    It is rendered in a sandbox that keeps it from what its values are made of, and from changing
    them; it does not keep it from taking long, so do not render templates of strangers.

    Args:
        source: The template.
        name: What to call it.
        version: Your own word for this state of it, beside the digest.

    Raises:
        ConfigurationError: It is no template, or `fairlead[templates]` is not installed.
    """

    source: str = field(repr=False)
    name: str | None = None
    version: str | None = None
    _template: Any = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not isinstance(self.source, str):
            kind = type(self.source).__name__
            msg = f"a template is made from a str, not {kind}; from_file() reads one from a file"
            raise ConfigurationError(msg)
        object.__setattr__(self, "_template", _compiled(self.source, self.label))

    @classmethod
    def from_file(
        cls,
        path: str | os.PathLike[str],
        /,
        *,
        name: str | None = None,
        version: str | None = None,
    ) -> Self:
        """
        The template in a file, in UTF-8; its name is that of the file unless another is given.

        Raises:
            ConfigurationError: As the class; or the file cannot be read.
        """
        try:
            source = Path(path).read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            msg = f"the template {path} cannot be read: {error}"
            raise ConfigurationError(msg) from error
        return cls(source, name or Path(path).name.partition(".")[0], version)

    @property
    def label(self) -> str:
        """Its name, for people."""
        return self.name or "the template"

    @property
    def digest(self) -> str:
        """What tells it from any other: the beginning of its SHA-256, 16 hexadecimal digits."""
        return sha256(self.source.encode("utf-8", "surrogatepass")).hexdigest()[:16]

    @property
    def tags(self) -> Mapping[str, str]:
        """Which template it is, for a call's `tags`."""
        told = {"name": self.name, "version": self.version, "digest": self.digest}
        return {f"prompt.{key}": value for key, value in told.items() if value is not None}

    def render(self, /, **values: Any) -> RenderedPrompt:
        """
        The prompt with *values* filled in.

        Raises:
            TemplateError: A value is missing, or the template cannot do with it what it wants.
        """
        from jinja2.exceptions import SecurityError, UndefinedError

        try:
            return RenderedPrompt(self._template.render(values), self)
        except UndefinedError as error:
            given = ", ".join(sorted(values)) or "nothing"
            raise TemplateError(f"{self.label}: {error.message}; given: {given}") from error
        except SecurityError as error:
            raise TemplateError(f"{self.label} may not do that: {error.message}") from error
        except Exception as error:
            kind = type(error).__name__
            raise TemplateError(f"{self.label} cannot be rendered: {kind}: {error}") from error

    def count_tokens(self, provider: ProviderPort, /, **values: Any) -> TokenCount:
        """How many tokens the prompt has at *provider*. Raises as `render` does."""
        return provider.count_tokens(str(self.render(**values)))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.source, self.name, self.version)


def _compiled(source: str, label: str) -> Any:
    try:
        from jinja2 import StrictUndefined, TemplateSyntaxError
        from jinja2.sandbox import ImmutableSandboxedEnvironment
    except ImportError as error:
        msg = "templates need Jinja: pip install 'fairlead[templates]'"
        raise ConfigurationError(msg) from error
    environment = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined,
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    try:
        return environment.from_string(source)
    except TemplateSyntaxError as error:
        msg = f"{label} is no template: line {error.lineno}: {error.message}"
        raise ConfigurationError(msg) from error
