using Cove.Agent.Loop;
using Cove.Agent.Tools;
using Cove.Cli.Running;

namespace Cove.Cli.Agents;

/// <summary>Asks the person at the terminal before a call is done. Anything but a clear yes is a no; what is typed instead is the reason the model reads.</summary>
internal sealed class Approvals(Screen screen, TextReader answers)
{
    private const int MaximumReason = 1_000;

    public async ValueTask<Approval> AskAsync(ToolCall call, CancellationToken cancellationToken)
    {
        // What is asked about stands above, as it was called: code as code, nothing of it hidden.
        screen.Write(OutputStream.Stderr, $"cove: run {Screen.Plain(call.Name)}? [y/N, or say why not] ");
        screen.Flush();
        var typed = await Task.Run(answers.ReadLine, CancellationToken.None).WaitAsync(cancellationToken);
        return typed?.Trim() switch
        {
            "y" or "Y" or "yes" => Approval.Yes,
            null or "" or "n" or "N" or "no" => Approval.No(),
            var reason => Approval.No("The user did not approve this call: " + (reason.Length <= MaximumReason ? reason : reason[..MaximumReason])),
        };
    }
}
