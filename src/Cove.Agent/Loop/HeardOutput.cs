using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Cove.Agent.Tools;
using Microsoft.Extensions.AI;

namespace Cove.Agent.Loop;

/// <summary>
/// What a call's program wrote so far. A tool that is interrupted has no result; what it had written belongs into the conversation all the same. Of each stream
/// the beginning and the end are kept. Any number of threads may use it: a tool that was left behind may go on writing.
/// </summary>
internal sealed class HeardOutput
{
    private const int MostStdout = 10_000;
    private const int MostStderr = 5_000;

    private readonly Lock _lock = new();
    private readonly Kept _stdout = new(MostStdout);
    private readonly Kept _stderr = new(MostStderr);

    public void Add(ToolOutput piece)
    {
        lock (_lock)
        {
            (piece.Stream is OutputStream.Stdout ? _stdout : _stderr).Add(piece.Text);
        }
    }

    /// <summary>It as JSON, in whose strings it stays data; nothing when nothing was written.</summary>
    public IEnumerable<AIContent> Contents()
    {
        lock (_lock)
        {
            return _stdout.IsEmpty && _stderr.IsEmpty ? []
                : [new TextContent(JsonSerializer.Serialize(new PartialOutput(_stdout.ToString(), _stderr.ToString()), PartialOutputJson.Wire.PartialOutput))];
        }
    }

    private sealed class Kept(int most)
    {
        private readonly StringBuilder _head = new();
        private readonly StringBuilder _tail = new();
        private long _left;

        public bool IsEmpty => _head.Length == 0;

        public void Add(string text)
        {
            var room = Math.Min(most / 2 - _head.Length, text.Length);
            _head.Append(text, 0, room);
            _tail.Append(text, room, text.Length - room);
            if (_tail.Length > 4 * most)
            {
                Drop(_tail.Length - most / 2);
            }
        }

        public override string ToString()
        {
            if (_tail.Length > most / 2)
            {
                Drop(_tail.Length - most / 2);
            }

            return _left == 0 ? $"{_head}{_tail}" : $"{_head}\n[… {_left:N0} characters left out …]\n{_tail}";
        }

        private void Drop(int count)
        {
            _tail.Remove(0, count);
            _left += count;
        }
    }
}

/// <summary>What an interrupted program had written.</summary>
internal sealed record PartialOutput(string Stdout, string Stderr);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(PartialOutput))]
internal sealed partial class PartialOutputJson : JsonSerializerContext
{
    public static PartialOutputJson Wire => field ??= new(ModelJson.Relaxed(Default));
}
