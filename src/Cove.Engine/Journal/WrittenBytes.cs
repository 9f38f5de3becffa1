using System.Text;

namespace Cove.Engine.Journal;

/// <summary>How much a run wrote, as far as its journal has it. What was cut, and what no event told of before a kill, is in no journal.</summary>
internal readonly record struct WrittenBytes(long Stdout, long Stderr)
{
    /// <summary>What an event adds.</summary>
    public static WrittenBytes Of(RunEvent next) => next switch
    {
        RunOutput { Stream: OutputStream.Stdout } output => new WrittenBytes(Encoding.UTF8.GetByteCount(output.Text), 0),
        RunOutput output => new WrittenBytes(0, Encoding.UTF8.GetByteCount(output.Text)),
        _ => default,
    };

    public static WrittenBytes operator +(WrittenBytes left, WrittenBytes right) => new(left.Stdout + right.Stdout, left.Stderr + right.Stderr);
}
