using System.Runtime.InteropServices;
using System.Text;
using Cove.Wire;
using Xunit;

namespace Cove.Tests.Contracts;

public sealed class WireBufferTests
{
    [Fact]
    public void What_was_said_does_not_lie_about_in_the_buffer_that_is_kept()
    {
        Span<byte> where;
        using (var buffer = WireBuffer.Take())
        {
            buffer.Json.WriteStringValue("a secret");
            buffer.Json.Flush();
            where = MemoryMarshal.AsMemory(buffer.Bytes.WrittenMemory).Span;
            Assert.Equal("\"a secret\"", Encoding.UTF8.GetString(where));
        }

        Assert.True(where.IndexOfAnyExcept((byte)0) < 0, Encoding.UTF8.GetString(where));
    }

    [Fact]
    public void The_next_text_begins_anew_and_two_at_once_do_not_mix()
    {
        using (var first = WireBuffer.Take())
        using (var second = WireBuffer.Take())
        {
            first.Json.WriteNumberValue(1);
            second.Json.WriteNumberValue(2);
            first.Json.Flush();
            second.Json.Flush();
            Assert.Equal(("1", "2"), (Text(first), Text(second)));
        }

        using var next = WireBuffer.Take();
        next.Json.WriteNumberValue(3);
        next.Json.Flush();
        Assert.Equal("3", Text(next));
    }

    [Fact]
    public void What_a_picture_grew_is_not_kept()
    {
        WireBuffer grown;
        using (grown = WireBuffer.Take())
        {
            grown.Json.WriteStringValue(new string('x', 1 << 20));
            grown.Json.Flush();
        }

        using var next = WireBuffer.Take();
        Assert.NotSame(grown, next);
        Assert.InRange(next.Bytes.Capacity, 0, 256 << 10);
    }

    private static string Text(WireBuffer buffer) => Encoding.UTF8.GetString(buffer.Bytes.WrittenSpan);
}
