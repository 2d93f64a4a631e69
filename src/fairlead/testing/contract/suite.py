"""The whole contract."""

from __future__ import annotations

from .answers import AnswerContract
from .cancellation import CancellationContract
from .embeddings import EmbeddingContract
from .failures import FailureContract
from .streams import StreamContract
from .tools import ToolContract


class ProviderContract(
    AnswerContract,
    StreamContract,
    ToolContract,
    EmbeddingContract,
    FailureContract,
    CancellationContract,
):
    """
    What every provider has to keep to, as tests; anyio's plugin runs them on asyncio and trio.

    ::

        class TestMyProvider(ProviderContract):
            def make_provider(self):
                return MyProvider()

            def make_scripted(self, *answers):
                return MyProvider(FakeServer(answers))

    Hooks, sync or async; what they return is closed after the test if it has `aclose()`:

    - `make_provider()`: a provider that answers whatever it is asked;
    - `make_scripted(*answers)`: one whose calls are answered by *answers*, one after the other,
      the last one over and over. Each is a list of lines as `ScriptedProvider` plays them: `str`,
      errors, `Pause()`, `CUT`. Skip with `pytest.skip` what cannot be brought about. Without this
      hook, failures and slowness are not tested;
    - `make_slow()`: one that does not finish its next answer within `moment`; by default scripted.

    Switches, class attributes:

    - `streams`, `embeds`: whether it has these operations at all;
    - `tools`, `formats`: whether it calls a forced tool, and keeps to a `response_format`;
    - `speaks`: whether its answers have words;
    - `repeats_itself`: whether the same prompt has the same answer;
    - `reports_usage`: whether answers say what they consumed;
    - `answers_as`: the provider's name in answers, where it is not its own `name`;
    - `moment`: seconds that cancelled calls are given to get under way.

    Mark the class with `pytest.mark.virtual_time` if it opens no sockets.
    """
