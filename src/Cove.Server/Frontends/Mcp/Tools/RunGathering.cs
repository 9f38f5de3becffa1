using System.Buffers.Text;
using System.Text;
using ModelContextProtocol.Protocol;

namespace Cove.Server.Frontends.Mcp.Tools;

/// <summary>Gathers what a run says, and shortens it to what a model should read: 25,000 tokens are never reached, since a token is a byte at least.</summary>
internal sealed class RunGathering
{
    public const int StdoutBytes = 10_000;
    public const int StderrBytes = 5000;
    private const int TextBytes = 2000;
    private const int MostImages = 8;
    private const int MostImageLength = 2 << 20;
    private const int MostNotices = 8;

    private readonly StringBuilder _stdout = new();
    private readonly StringBuilder _stderr = new();
    private readonly StringBuilder _display = new();
    private readonly List<ContentBlock> _images = [];
    private readonly List<string> _notices = [];
    private string? _result;

    /// <summary>How it began; null until it has.</summary>
    public RunStarted? Begin { get; private set; }

    /// <summary>How it ended; null until it has.</summary>
    public RunResult? End { get; private set; }

    public string Stdout => _stdout.ToString();

    public string Stderr => _stderr.ToString();

    public IReadOnlyList<ContentBlock> Images => _images;

    public void Add(RunEvent next)
    {
        switch (next)
        {
            case RunStarted started:
                Begin = started;
                break;
            case RunOutput output:
                (output.Stream == OutputStream.Stdout ? _stdout : _stderr).Append(output.Text);
                break;
            case RunDisplay display:
                Show(display);
                break;
            case RunNotice notice:
                Note(notice.Message);
                break;
            case RunCompleted completed:
                End = completed.Result;
                Complain(completed.Result);
                break;
        }
    }

    public RunAnswer Answer(RunResult end, SandboxId? sandbox, RunFileList files)
    {
        var (stdout, stderr) = (Shortened.Of(Stdout, StdoutBytes), Shortened.Of(Stderr, StderrBytes));
        var (result, display) = (Shortened.Of(_result ?? "", TextBytes), Shortened.Of(_display.ToString(), TextBytes));
        foreach (var notice in files.Notices)
        {
            Note(notice);
        }

        var isCut = stdout.IsCut || stderr.IsCut;
        if (isCut && sandbox is null)
        {
            Note("What was left out is gone with the sandbox: create one with create_sandbox, or write less.");
        }

        return new RunAnswer
        {
            Outcome = end.Outcome,
            ExitCode = end.ExitCode,
            Stdout = stdout.Text,
            Stderr = stderr.Text,
            Result = _result is null ? null : result.Text,
            Display = display.Text,
            DurationMs = Math.Round(end.Duration.TotalMilliseconds, 3),
            Truncated = isCut || result.IsCut || display.IsCut,
            FullOutput = [.. files.Full.Select(link => link.Path)],
            StateLost = end.StateLost,
            Files = files.Changed,
            Images = _images.Count,
            Notices = _notices,
            SandboxId = sandbox?.Value,
            Error = end.Error is { } error ? ErrorAnswer.From(error) : null,
        };
    }

    /// <summary>An exception's traceback ends what stands in stderr, as it would in a terminal: it names the line, and the model reads it nowhere else.</summary>
    private void Complain(RunResult end)
    {
        if (end.Error?.Evidence?.Traceback is not { Length: > 0 } traceback)
        {
            return;
        }

        if (_stderr.Length > 0 && _stderr[^1] != '\n')
        {
            _stderr.Append('\n');
        }

        _stderr.Append(traceback).Append('\n');
    }

    private void Show(RunDisplay display)
    {
        var image = display.Data.FirstOrDefault(data => Pictures.IsOne(data.Key));
        if (image.Key is not null)
        {
            Picture(image.Key, image.Value);
        }

        if (!display.Data.TryGetValue("text/plain", out var text))
        {
            return;
        }

        if (display.IsResult)
        {
            _result = text;
        }
        else if (image.Key is null)
        {
            _display.Append(text).Append('\n');
        }
    }

    private void Picture(string type, string data)
    {
        if (_images.Count == MostImages || data.Length > MostImageLength)
        {
            Note($"An image was left out: a result carries {MostImages} of {MostImageLength >> 20} MiB of base64 each. Save it as a file.");
        }
        else if (Base64.IsValid(data)) // a guest may call anything an image
        {
            _images.Add(new ImageContentBlock { Data = Encoding.ASCII.GetBytes(data), MimeType = type });
        }
    }

    private void Note(string text)
    {
        if (_notices.Count < MostNotices)
        {
            _notices.Add(Shortened.Of(text, 500).Text);
        }
    }
}
