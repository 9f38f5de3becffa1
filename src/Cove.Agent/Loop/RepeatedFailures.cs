using System.Security.Cryptography;
using System.Text;
using Cove.Agent.Tools;

namespace Cove.Agent.Loop;

/// <summary>
/// Notices when the same thing fails the same way again: the same call with the same input, or the same tool with the same error whatever the input. The latter only
/// where the error says what it was: two commands that end with exit code 1, two programs that took too long and two calls that were not approved may have nothing
/// else in common, and are no repetition.
/// </summary>
internal sealed class RepeatedFailures
{
    private readonly Dictionary<string, int> _seen = [];

    /// <summary>The most often any failure was seen.</summary>
    public int Most { get; private set; }

    /// <summary>Notes a failure; returns how often it was seen now.</summary>
    public int Note(ToolCall call, ToolError error)
    {
        var kind = $"{call.Name}\n{error.ErrorCategory}\n";
        var count = Count(kind + "i" + call.Input.GetRawText());
        if (SaysWhat(error))
        {
            count = Math.Max(count, Count(kind + "c" + error.Context));
        }

        Most = Math.Max(Most, count);
        return count;
    }

    /// <summary>What the model is told of a failure it has had before; null the first time.</summary>
    public static string? Notice(int count) => count < 2 ? null :
        $"Notice: this has now failed {count} times in the same way. Doing the same again will fail again: change the approach, or answer with what you have and say what is missing.";

    private static bool SaysWhat(ToolError error) => error.ErrorCategory switch
    {
        ToolErrorCategory.Timeout or ToolErrorCategory.OutputLimit or ToolErrorCategory.Memory or ToolErrorCategory.Interrupted => false,
        ToolErrorCategory.Policy or ToolErrorCategory.Budget or ToolErrorCategory.RateLimited => false,
        ToolErrorCategory.Exception => !error.Context.Contains("exit code ", StringComparison.Ordinal),
        _ => true,
    };

    private int Count(string key)
    {
        // Inputs may be long, and all of them stay for the whole run.
        var hash = Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(key)));
        return _seen[hash] = _seen.GetValueOrDefault(hash) + 1;
    }
}
