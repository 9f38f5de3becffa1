"""The tool-use loop: a model that can run Python in one sandbox that keeps its state from call to call.

    pip install anthropic
    ANTHROPIC_API_KEY=… COVE_API_KEY=… python samples/python/tool_loop.py "What is the 90th prime?"
"""
import sys

from anthropic import Anthropic
from cove import Sandbox

TOOLS = [
    {
        "name": "run_python",
        "description": "Execute Python code in a persistent REPL. Variables, imports and state carry across calls. Returns stdout and stderr.",
        "input_schema": {
            "type": "object",
            "properties": {"code": {"type": "string", "description": "Python source to execute."}},
            "required": ["code"],
        },
    },
]


def converse(prompt, client, model="claude-sonnet-4-5"):
    """Runs a conversation with tools until the model answers in words."""
    messages = [{"role": "user", "content": prompt}]
    with Sandbox(max_lifetime_seconds=900, idle_timeout_seconds=300) as sandbox:
        while True:
            answer = client.messages.create(model=model, max_tokens=4096, tools=TOOLS, messages=messages)
            messages.append({"role": "assistant", "content": answer.content})
            if answer.stop_reason == "end_turn":
                return "".join(block.text for block in answer.content if block.type == "text")
            if answer.stop_reason != "tool_use":
                raise RuntimeError(f"unexpected stop_reason: {answer.stop_reason}")
            results = []
            for block in answer.content:
                if block.type == "tool_use" and block.name == "run_python":
                    run = sandbox.run_code(block.input["code"])
                    results.append({
                        "type": "tool_result", "tool_use_id": block.id, "is_error": not run.success,
                        "content": (run.stdout + run.stderr) or "(no output)",
                    })
            messages.append({"role": "user", "content": results})


if __name__ == "__main__":
    print(converse(sys.argv[1] if len(sys.argv) > 1 else "Compute the standard deviation of the first 100 primes.", Anthropic()))
