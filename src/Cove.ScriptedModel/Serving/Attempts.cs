using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Cove.ScriptedModel.Serving;

/// <summary>
/// Counts how often the same messages were sent: a turn's faults are met one after the other by those who try again. This is all the server remembers;
/// two conversations that are word for word alike share it, unless their <c>metadata.user_id</c> differs.
/// </summary>
internal sealed class Attempts
{
    private const int MaxRemembered = 10_000;
    private readonly Lock _lock = new();
    private readonly Dictionary<string, int> _counts = new(StringComparer.Ordinal);
    private readonly Queue<string> _order = new();

    /// <summary>How many tries there were before this one.</summary>
    public int Next(JsonElement request)
    {
        var user = request.TryGetProperty("metadata", out var metadata) && metadata.ValueKind == JsonValueKind.Object ? metadata.GetRawText() : "";
        var key = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(user + request.GetProperty("messages").GetRawText())));
        lock (_lock)
        {
            if (!_counts.TryGetValue(key, out var count))
            {
                _order.Enqueue(key);
                if (_order.Count > MaxRemembered)
                {
                    _counts.Remove(_order.Dequeue());
                }
            }

            _counts[key] = count + 1;
            return count;
        }
    }
}
