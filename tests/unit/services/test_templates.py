"""Prompts from templates."""

import pickle
import subprocess
import sys

import pytest

from fairlead.core.errors import ConfigurationError, TemplateError
from fairlead.core.messages import Prompt
from fairlead.services.templates import PromptTemplate, RenderedPrompt
from fairlead.testing import ScriptedProvider

GREETING = "Greet {{ name }} in {{ language }}."


def test_values_are_filled_in():
    prompt: Prompt = PromptTemplate(GREETING).render(name="Ada", language="Norwegian")

    assert prompt == "Greet Ada in Norwegian."
    assert isinstance(prompt, str)


def test_lines_of_logic_leave_no_trace():
    template = PromptTemplate("Pack:\n{% for it in things %}\n  - {{ it }}\n{% endfor %}\nDone.")

    assert template.render(things=["rope", "<knife>"]) == "Pack:\n  - rope\n  - <knife>\nDone."


def test_a_prompt_knows_its_template():
    template = PromptTemplate(GREETING, "greet", "2")
    prompt = template.render(name="Ada", language="Norwegian")

    assert prompt.template is template
    assert template.tags == {
        "prompt.name": "greet",
        "prompt.version": "2",
        "prompt.digest": template.digest,
    }
    assert PromptTemplate(GREETING).tags == {"prompt.digest": template.digest}
    assert len(template.digest) == 16
    assert PromptTemplate(GREETING + " ").digest != template.digest


def test_a_file_is_a_template(tmp_path):
    file = tmp_path / "greet.txt.j2"
    file.write_text(f"{GREETING} Ærlig.", "utf-8")

    template = PromptTemplate.from_file(file, version="2")

    assert (template.name, template.version) == ("greet", "2")
    assert template == PromptTemplate(f"{GREETING} Ærlig.", "greet", "2")
    assert PromptTemplate.from_file(str(file), name="other").name == "other"


def test_a_file_that_cannot_be_read_is_told(tmp_path):
    with pytest.raises(ConfigurationError, match=r"nothing\.j2 cannot be read"):
        PromptTemplate.from_file(tmp_path / "nothing.j2")
    (tmp_path / "bytes.j2").write_bytes(b"\xff")
    with pytest.raises(ConfigurationError, match=r"bytes\.j2 cannot be read"):
        PromptTemplate.from_file(tmp_path / "bytes.j2")


@pytest.mark.parametrize(
    "source, said",
    [
        ("one\n{{ two", "greet is no template: line 2: unexpected end of template"),
        ("{% for %}", "greet is no template: line 1: "),
        (3, r"a template is made from a str, not int; from_file\(\)"),
    ],
)
def test_what_is_no_template_is_refused(source, said):
    with pytest.raises(ConfigurationError, match=said):
        PromptTemplate(source, "greet")


def test_a_value_that_is_missing_is_told():
    template = PromptTemplate(GREETING, "greet")

    with pytest.raises(TemplateError, match="greet: 'name' is undefined; given: language"):
        template.render(language="Norwegian")
    with pytest.raises(TemplateError, match="given: nothing"):
        template.render()
    with pytest.raises(TemplateError, match="the template: 'dict object' has no attribute 'nmae'"):
        PromptTemplate("{{ who.nmae }}").render(who={"name": "Ada"})


def test_a_template_may_ask_whether_a_value_is_there():
    assert PromptTemplate("Hi{% if name is defined %} {{ name }}{% endif %}").render() == "Hi"


@pytest.mark.parametrize(
    "source",
    [
        "{{ value.__class__ }}",
        "{{ ''.__class__.__mro__ }}",
        "{{ value.append(1) }}",
        "{{ '{0.__class__}'.format(value) }}",
    ],
)
def test_it_is_kept_from_what_values_are_made_of_and_from_changing_them(source):
    value = []

    with pytest.raises(TemplateError):
        PromptTemplate(source).render(value=value)
    assert value == []


def test_a_template_includes_no_other():
    with pytest.raises(TemplateError, match="cannot be rendered"):
        PromptTemplate("{% include 'other' %}").render()


def test_what_values_raise_is_told():
    def fails():
        raise ValueError("no")

    with pytest.raises(TemplateError, match="the template cannot be rendered: ValueError: no"):
        PromptTemplate("{{ fails() }}").render(fails=fails)


def test_tokens_are_counted():
    provider = ScriptedProvider("ho")
    values = {"name": "Ada", "language": "Norwegian"}

    counted = PromptTemplate(GREETING).count_tokens(provider, **values)
    assert counted == provider.count_tokens("Greet Ada in Norwegian.")


def test_any_name_may_be_a_value():
    assert PromptTemplate("{{ self_ }}{{ provider }}").render(self_=1, provider=2) == "12"


def test_both_survive_pickling():
    prompt = PromptTemplate(GREETING, "greet").render(name="Ada", language="Norwegian")

    again = pickle.loads(pickle.dumps(prompt))
    assert isinstance(again, RenderedPrompt)
    assert (again, again.template) == (prompt, prompt.template)
    assert again.template.render(name="B", language="C") == "Greet B in C."


def test_without_jinja_the_error_names_the_extra():
    program = (
        "import sys\n"
        "sys.modules['jinja2'] = None\n"
        "from fairlead import ConfigurationError, PromptTemplate\n"
        "try:\n"
        "    PromptTemplate('Hi')\n"
        "except ConfigurationError as error:\n"
        "    print(error)"
    )

    told = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert told.stdout.decode().strip() == (
        "templates need Jinja: pip install 'fairlead[templates]'"
    )
