using System.Text;

namespace Cove.Server.Frontends.Execute;

/// <summary>Gathers what a run says. Its text is bounded by the engine (1 MiB a stream); images are kept only when they are wanted, and up to a bound.</summary>
internal sealed class ExecuteOutput(bool images)
{
    /// <summary>Characters of image data in one answer.</summary>
    private const int MaximumImageLength = 32 << 20;

    private readonly StringBuilder _stdout = new();
    private readonly StringBuilder _stderr = new();
    private readonly StringBuilder _cuts = new();
    private readonly List<ExecuteImage> _images = [];
    private int _imageLength;

    public string Output => _stdout.ToString();

    /// <summary>Standard error, and after it what was cut: an answer that is not whole says so.</summary>
    public string Errors => _stderr.ToString() + _cuts;

    /// <summary>The last expression's value as text.</summary>
    public string? Result { get; private set; }

    public IReadOnlyList<ExecuteImage> Images => _images;

    /// <summary>How the run ended; null until it has.</summary>
    public RunResult? End { get; private set; }

    public void Add(RunEvent next)
    {
        switch (next)
        {
            case RunOutput output:
                (output.Stream == OutputStream.Stdout ? _stdout : _stderr).Append(output.Text);
                break;
            case RunDisplay display:
                Show(display);
                break;
            case RunNotice { Code: "output_cut" } cut:
                Cut(cut.Message);
                break;
            case RunCompleted completed:
                End = completed.Result;
                break;
            default:
                break;
        }
    }

    private void Show(RunDisplay display)
    {
        if (display.IsResult && display.Data.TryGetValue("text/plain", out var text))
        {
            Result = text;
        }

        foreach (var (type, data) in display.Data)
        {
            if (!images || !type.StartsWith("image/", StringComparison.Ordinal))
            {
                continue;
            }

            if (_imageLength + data.Length > MaximumImageLength)
            {
                Cut($"An image ({type}) was left out: one answer carries {MaximumImageLength >> 20} MiB of them. Show fewer or smaller ones.");
                continue;
            }

            _imageLength += data.Length;
            _images.Add(new ExecuteImage(type, data));
        }
    }

    private void Cut(string message) => _cuts.Append(_stderr.Length + _cuts.Length > 0 ? "\n" : "").Append(message);
}
