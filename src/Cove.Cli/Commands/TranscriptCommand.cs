using System.CommandLine;
using Cove.Agent.Transcripts;
using Cove.Cli.Agents;
using Cove.Cli.Running;

namespace Cove.Cli.Commands;

/// <summary><c>cove transcript show</c>: an agent's run, to be read.</summary>
internal static class TranscriptCommand
{
    public static Command Create()
    {
        var file = new Argument<string>("file") { Description = "A transcript that cove agent --transcript wrote." };
        var show = new Command("show", "Show a transcript as it happened.") { file };
        show.SetAction((parsed, cancellationToken) => ShowAsync(parsed.GetValue(file)!, new Screen(), cancellationToken));
        return new Command("transcript", "Read what an agent did.") { show };
    }

    internal static async Task<int> ShowAsync(string path, Screen screen, CancellationToken cancellationToken)
    {
        await using var file = Inputs.Open(path, "The transcript");
        try
        {
            await foreach (var line in TranscriptReader.ReadAsync(file, cancellationToken))
            {
                if (TranscriptPrinter.Print(line) is { Length: > 0 } text)
                {
                    screen.Line(text);
                }

                if (screen.Deaf)
                {
                    break;
                }
            }
        }
        catch (FormatException wrong)
        {
            screen.Flush();
            throw Errors.Usage("transcript", Screen.Plain(wrong.Message), "Give a file that cove agent --transcript wrote.");
        }

        return screen.ExitCode(ExitCodes.Ok);
    }
}
