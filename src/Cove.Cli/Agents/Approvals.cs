using Cove.Agent.Loop;
using Cove.Agent.Tools;

namespace Cove.Cli.Agents;

/// <summary>
/// Asks the person at the terminal before a call is done, one call at a time. Anything but a clear yes is a no; what is typed instead is the reason the model reads.
/// </summary>
internal sealed class Approvals(AgentScreen screen, TextReader answers) : IDisposable
{
    private const int MaximumReason = 1_000;

    private readonly SemaphoreSlim _turn = new(1, 1);
    private Task<string?>? _reading;

    /// <summary>Asks about a call of the model.</summary>
    public ValueTask<Approval> AskAsync(ToolCall call, CancellationToken cancellationToken) => AskAsync(call, ofCode: false, cancellationToken);

    /// <summary>Asks about a call that the model's code makes.</summary>
    public ValueTask<Approval> AskOfCodeAsync(ToolCall call, CancellationToken cancellationToken) => AskAsync(call, ofCode: true, cancellationToken);

    public void Dispose() => _turn.Dispose();

    private async ValueTask<Approval> AskAsync(ToolCall call, bool ofCode, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            if (!ofCode)
            {
                await screen.ReachedAsync(call).WaitAsync(cancellationToken);
            }

            screen.Ask(call, ofCode);
            return Read(await TypedAsync().WaitAsync(cancellationToken));
        }
        finally
        {
            screen.Answered();
            _turn.Release();
        }
    }

    /// <summary>
    /// A line typed from now on. One that nobody waited for any more is no answer to this question; a reading that still waits is taken up, because a second one
    /// beside it would lose every other line.
    /// </summary>
    private Task<string?> TypedAsync() => _reading = _reading is { IsCompleted: false } waiting ? waiting : Task.Run(answers.ReadLine, CancellationToken.None);

    private static Approval Read(string? typed) => typed?.Trim() switch
    {
        "y" or "Y" or "yes" => Approval.Yes,
        null or "" or "n" or "N" or "no" => Approval.No(),
        var reason => Approval.No("The user did not approve this call: " + (reason.Length <= MaximumReason ? reason : reason[..MaximumReason])),
    };
}
