using System.Globalization;
using System.Text.Json;
using Cove.Agent.HostCalls;
using Cove.Agent.Loop;
using Cove.Agent.Tools;
using Cove.Cli.Running;

namespace Cove.Cli.Agents;

/// <summary>
/// Shows an agent at work. What the model says goes to standard output when a person reads it there; otherwise standard output holds the answer and nothing else, and
/// all that happens on the way goes to standard error. While somebody is asked, what happens meanwhile waits: nothing a program writes stands beside the question.
/// </summary>
/// <param name="screen">Where.</param>
/// <param name="live">Whether a person reads standard output.</param>
/// <param name="whole">Whether nothing of a call is left out.</param>
/// <param name="silent">Whether nothing is shown but questions.</param>
internal sealed class AgentScreen(Screen screen, bool live, bool whole = false, bool silent = false)
{
    private const int MostLines = 60;
    private const int MostArguments = 300;

    private readonly Lock _lock = new();
    private readonly HashSet<string> _announced = [];
    private readonly List<AgentEvent> _held = [];
    private readonly Dictionary<string, TaskCompletionSource> _reached = [];
    private int _calls;
    private bool _asking;
    private bool _lineIsOpen;
    private bool _textIsOpen;
    private string _lastText = "";

    public void Show(AgentEvent next)
    {
        lock (_lock)
        {
            if (next is ToolStarted { Call.Id: var id })
            {
                Reaching(id).TrySetResult();
            }

            if (_asking)
            {
                _held.Add(next);
            }
            else if (!silent)
            {
                ShowNow(next);
            }
        }
    }

    /// <summary>Until what came before a call of the model is shown: the loop tells of it and asks about it at once, and the question must not overtake the words that led to it.</summary>
    public Task ReachedAsync(ToolCall call)
    {
        lock (_lock)
        {
            return Reaching(call.Id).Task;
        }
    }

    /// <summary>Asks about a call, which stands whole above the question.</summary>
    public void Ask(ToolCall call, bool ofCode)
    {
        lock (_lock)
        {
            if (ofCode)
            {
                Close();
                screen.ErrorLine($"⇢ {OneLine(call.Name)}, called by the code\n{Printable.Indented(call.Input.GetRawText(), "  ")}");
            }
            else
            {
                Announce(call);
            }

            screen.Write(OutputStream.Stderr, $"cove: run {Screen.Plain(call.Name)}? [y/N, or say why not] ");
            screen.Flush();
            _asking = true;
        }
    }

    /// <summary>The question is answered, or is no longer asked.</summary>
    public void Answered()
    {
        lock (_lock)
        {
            _asking = false;
            foreach (var next in silent ? [] : _held)
            {
                ShowNow(next);
            }

            _held.Clear();
        }
    }

    private TaskCompletionSource Reaching(string id)
    {
        if (!_reached.TryGetValue(id, out var reached))
        {
            _reached[id] = reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        return reached;
    }

    private void ShowNow(AgentEvent next)
    {
        switch (next)
        {
            case TurnStarted:
                (_lastText, _calls) = ("", 0);
                break;
            case TextWritten text:
                Text(text.Text);
                break;
            case TextWithdrawn:
                _lastText = "";
                Own("the model starts this answer over; what it wrote of it before does not count.");
                break;
            case ToolStarted started:
                Announce(started.Call);
                break;
            case ToolWrote wrote:
                Piece(Printable.Of(wrote.Output.Text), OutputStream.Stderr, isText: false);
                break;
            case HostToolCalled called:
                Called(called.Record);
                break;
            case ToolEnded ended:
                Ended(ended);
                break;
            case ModelRetrying retrying:
                Own(FormattableString.Invariant($"{retrying.Failure.Message.TrimEnd('.')}. Asking again in {retrying.Delay.TotalSeconds:0.#} s ({retrying.Retry})."));
                break;
            case BudgetExhausted spent:
                Own($"{spent.Reason} The tools are withheld; the model answers with what it has.");
                break;
            case TokensCounted { Cost: { } cost, Total: var total }:
                Own(FormattableString.Invariant($"{total.Total:#,0} tokens until now, ${cost:0.0000}."));
                break;
        }

        screen.Flush();
    }

    /// <summary>The answer, unless it was read already, and what it took.</summary>
    public void Finish(AgentResult result)
    {
        Close();
        if (result.Answer.Length > 0 && !(live && _lastText.Trim() == result.Answer))
        {
            screen.Line(Printable.Of(result.Answer));
        }

        if (result.Outcome is not AgentOutcome.Answered)
        {
            screen.Notice(result.Reason);
            if (result.Failure is { Remediation.Length: > 0 } failure)
            {
                screen.Notice(failure.Remediation);
            }
        }

        screen.Notice(Summary(result));
    }

    private static string Summary(AgentResult result)
    {
        var cost = result.Cost is { } known ? "$" + known.ToString("0.0000", CultureInfo.InvariantCulture) : "cost not known";
        var code = result.CodeAttempts == 0 ? "" : $", code {Times(result.CodeAttempts)}{(result.Retries == 0 ? "" : $" ({Count(result.Retries, "retry", "retries")})")}";
        var cached = result.CacheReadTokens == 0 ? "" : FormattableString.Invariant($" ({result.CacheReadTokens:#,0} of them cached)");
        return FormattableString.Invariant($"{Count(result.Iterations, "turn", "turns")}{code}, {result.TotalTokens - result.OutputTokens:#,0} tokens in{cached}, {result.OutputTokens:#,0} out, {cost}, {result.DurationMs / 1000d:0.0} s.");
    }

    private void Text(string text)
    {
        _lastText += text;
        Piece(Printable.Of(text), live ? OutputStream.Stdout : OutputStream.Stderr, isText: true);
    }

    /// <summary>Shows a call once, whether its beginning is told first or the question about it.</summary>
    private void Announce(ToolCall call)
    {
        if (_announced.Add(call.Id))
        {
            _calls++;
            Close();
            screen.ErrorLine($"▶ {OneLine(call.Name)}");
            screen.ErrorLine(Shortened(Printable.Indented(Input(call.Input), "  ")));
        }
    }

    private void Called(HostCallRecord record)
    {
        Close();
        var arguments = OneLine(record.Call.Arguments.GetRawText());
        arguments = arguments.Length <= MostArguments ? arguments : arguments[..MostArguments] + "…";
        var seconds = record.Duration.TotalSeconds.ToString("0.0", CultureInfo.InvariantCulture);
        screen.ErrorLine(record.Error is { } error
            ? $"⇢ {OneLine(record.Call.Tool)} {arguments} ✗ {error.Category}: {OneLine(error.Message)} ({seconds} s)"
            : $"⇢ {OneLine(record.Call.Tool)} {arguments} ✓ {seconds} s");
    }

    private void Ended(ToolEnded ended)
    {
        Close();
        var seconds = ended.Duration.TotalSeconds.ToString("0.0", CultureInfo.InvariantCulture);
        var which = _calls > 1 ? OneLine(ended.Call.Name) + " " : ""; // side by side they end in any order
        screen.ErrorLine(ended.Result.Error is { } error
            ? $"✗ {which}{JsonNamingPolicy.SnakeCaseLower.ConvertName(error.ErrorCategory.ToString())}: {Printable.Of(error.Context).TrimEnd()} ({seconds} s)"
            : $"✓ {which}{seconds} s");
    }

    /// <summary>Code is shown as code, with what stands beside it under it; anything else as the JSON it is. Whoever is asked sees all of it.</summary>
    private static string Input(JsonElement input)
    {
        foreach (var name in new[] { "code", "command" })
        {
            if (input.ValueKind is JsonValueKind.Object && input.TryGetProperty(name, out var code) && code.ValueKind is JsonValueKind.String && input.EnumerateObject().Count() <= 2)
            {
                var beside = input.EnumerateObject().Where(property => property.Name != name).Select(property => $"\n({property.Name}: {property.Value.GetRawText()})");
                return code.GetString() + string.Concat(beside);
            }
        }

        return input.GetRawText();
    }

    /// <summary>Where somebody is asked about a call nothing of it is left out.</summary>
    private string Shortened(string text)
    {
        var lines = text.Split('\n');
        return whole || lines.Length <= MostLines ? text : string.Join('\n', lines[..MostLines]) + $"\n  … {lines.Length - MostLines} more lines";
    }

    private void Own(string message)
    {
        Close();
        screen.Notice(message);
    }

    private void Piece(string text, OutputStream stream, bool isText)
    {
        if (text.Length == 0)
        {
            return;
        }

        if (isText != _textIsOpen)
        {
            Close();
        }

        screen.Write(stream, text);
        _textIsOpen = isText;
        _lineIsOpen = !text.EndsWith('\n');
    }

    private void Close()
    {
        if (_lineIsOpen)
        {
            screen.Write(_textIsOpen && live ? OutputStream.Stdout : OutputStream.Stderr, "\n");
            _lineIsOpen = false;
        }
    }

    private static string OneLine(string text) => Printable.Of(text).ReplaceLineEndings(" ");

    private static string Times(int count) => count == 1 ? "once" : $"{count} times";

    private static string Count(int count, string one, string many) => $"{count} {(count == 1 ? one : many)}";
}
