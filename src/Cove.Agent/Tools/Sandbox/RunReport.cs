using System.Text;

namespace Cove.Agent.Tools.Sandbox;

/// <summary>What one run said and how it ended, gathered for a tool while its output goes on to whoever listens.</summary>
internal sealed class RunReport
{
    private readonly StringBuilder _stdout = new();
    private readonly StringBuilder _stderr = new();
    private readonly StringBuilder _merged = new();
    private readonly StringBuilder _shown = new();

    public RunId? Run { get; private set; }

    public string Stdout => _stdout.ToString();

    public string Stderr => _stderr.ToString();

    /// <summary>Both streams in the order in which they came.</summary>
    public string Merged => _merged.ToString();

    /// <summary>What was displayed on the way as text.</summary>
    public string Shown => _shown.ToString();

    /// <summary>The value of the last expression as text.</summary>
    public string? Value { get; private set; }

    public List<(string MediaType, string Base64)> Pictures { get; } = [];

    public List<string> Notices { get; } = [];

    /// <summary>How it ended; null when the connection to the engine broke first.</summary>
    public RunResult? Result { get; private set; }

    /// <summary>Runs to the end. A cancelled run is interrupted, and waited for, by the engine.</summary>
    public static Task<RunReport> OfAsync(ICove cove, SandboxId sandbox, RunRequest request, ToolCall call, CancellationToken cancellationToken) =>
        OfAsync(cove.RunAsync(sandbox, request, cancellationToken), call, cancellationToken);

    /// <summary>Reads the events of a run to the end.</summary>
    public static async Task<RunReport> OfAsync(IAsyncEnumerable<RunEvent> events, ToolCall call, CancellationToken cancellationToken)
    {
        var report = new RunReport();
        await foreach (var next in events.WithCancellation(CancellationToken.None))
        {
            report.Add(next, call.Output);
        }

        cancellationToken.ThrowIfCancellationRequested();
        return report;
    }

    private void Add(RunEvent next, Action<ToolOutput>? listener)
    {
        switch (next)
        {
            case RunStarted started:
                Run = started.Run;
                break;
            case RunOutput output:
                (output.Stream == OutputStream.Stdout ? _stdout : _stderr).Append(output.Text);
                _merged.Append(output.Text);
                listener?.Invoke(new ToolOutput(output.Stream, output.Text));
                break;
            case RunDisplay display:
                Show(display);
                break;
            case RunNotice notice:
                Notices.Add(notice.Message);
                break;
            case RunCompleted completed:
                Result = completed.Result;
                break;
        }
    }

    private void Show(RunDisplay display)
    {
        var picture = Array.Find(Images.MediaTypes, display.Data.ContainsKey);
        if (picture is not null)
        {
            Pictures.Add((picture, display.Data[picture]));
        }

        var text = display.Data.GetValueOrDefault("text/plain");
        if (display.IsResult)
        {
            Value = text;
        }
        else if (text is not null && picture is null)
        {
            _shown.Append(text).Append('\n');
        }
    }
}
