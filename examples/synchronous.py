"""Ask without await, from several threads, and read a stream."""

from concurrent.futures import ThreadPoolExecutor

from fairlead.sync import open_provider

QUESTIONS = ["What is a fairlead?", "What is a bollard?", "What is a capstan?"]


def main() -> None:
    with open_provider("offline") as provider:
        with ThreadPoolExecutor() as threads:
            for answer in threads.map(provider.generate, QUESTIONS):
                print(answer)
        with provider.generate_stream("And what is a hawser?") as stream:
            for text in stream:
                print(text, end="", flush=True)
    print(f"\n[{stream.generation.finish_reason}]")


if __name__ == "__main__":
    main()
