using System.Buffers.Binary;
using System.Text;
using Cove.Engine.Guest;
using Cove.Engine.Isolation;
using Xunit;

namespace Cove.Tests.Guest;

/// <summary>A hundred thousand malformed, oversized, truncated and interleaved frames: each is refused or understood, none does harm.</summary>
public sealed class ResultDecoderFuzzTests
{
    private const string Nonce = "0123456789abcdef0123456789abcdef";
    private const int Cases = 100_000;

    private static readonly string[] Seeds =
    [
        $$"""{"t":"done","run":"{{Nonce}}","status":"ok"}""",
        $$"""{"t":"done","run":"{{Nonce}}","status":"error","error":{"name":"E","value":"v","traceback":"t"} }""",
        $$"""{"t":"done","run":"{{Nonce}}","status":"exit","exit_code":3}""",
        $$"""{"t":"display","run":"{{Nonce}}","kind":"display","data":{"text/plain":"x"},"metadata":{"a":[1,{"b":null}]},"parts":{"image/png":1} }""",
        $$"""{"t":"part","run":"{{Nonce}}","id":1,"data":"abcd"}""",
        $$"""{"t":"notice","run":"{{Nonce}}","code":"c","message":"m","later":[[[[1]]]]}""",
    ];

    private static readonly string[] Splices =
        ["{", "}", "[", "]", "\"", "\\", "\\ud800", "\\u0000", "null", "true", "1e999", "-1", "99999999999999999999", ",", ":", "\0", "\u00ff", "/*", "NaN"];

    [Fact]
    public void No_body_makes_the_decoder_throw()
    {
        var random = new Random(20_260_101);
        var decoder = new ResultDecoder(Nonce);
        var violations = 0;
        for (var i = 0; i < Cases; i++)
        {
            if (i % 1000 == 0)
            {
                decoder = new ResultDecoder(Nonce);
            }

            violations += decoder.Decode(Mutate(random)) is ResultMessage.Violation ? 1 : 0;
        }

        Assert.InRange(violations, Cases / 4, Cases - 1);
    }

    [Fact]
    public void No_stream_of_bytes_breaks_the_framing_or_makes_its_buffer_grow()
    {
        var random = new Random(20_260_102);
        var stream = new byte[8192];
        for (var i = 0; i < Cases; i++)
        {
            using var buffer = new FrameBuffer();
            var length = Compose(random, stream);
            try
            {
                for (var sent = 0; sent < length;)
                {
                    sent += Feed(buffer, stream.AsSpan(sent, length - sent), random.Next(1, 600));
                    while (buffer.TryRead(out var body))
                    {
                        Assert.InRange(body.Length, 1, Frames.MaxBodyBytes);
                    }
                }
            }
            catch (FrameException)
            {
                // The only thing it may throw.
            }

            Assert.True(buffer.Capacity <= 32 << 10, $"The buffer grew to {buffer.Capacity} for {length} bytes.");
        }
    }

    [Fact]
    public void Frames_of_every_size_come_out_whole_however_they_were_cut()
    {
        var random = new Random(20_260_103);
        using var buffer = new FrameBuffer();
        for (var i = 0; i < 60; i++)
        {
            var body = new byte[i % 3 == 0 ? Frames.MaxBodyBytes - random.Next(3) : random.Next(1, 5000)];
            random.NextBytes(body);
            var frame = new byte[body.Length + 4];
            BinaryPrimitives.WriteInt32BigEndian(frame, body.Length);
            body.CopyTo(frame, 4);
            var seen = false;
            for (var sent = 0; sent < frame.Length;)
            {
                sent += Feed(buffer, frame.AsSpan(sent), random.Next(1, 100_000));
                if (buffer.TryRead(out var read))
                {
                    Assert.True(read.SequenceEqual(body));
                    seen = true;
                }
            }

            Assert.True(seen);
            Assert.False(buffer.HasPartial);
        }

        Assert.True(buffer.Capacity <= 2 << 20);
    }

    [Fact]
    public void Nesting_beyond_the_limit_is_a_violation()
    {
        var deep = $$"""{"t":"notice","run":"{{Nonce}}","code":"c","message":"m","x":{{new string('[', 500_000)}}{{new string(']', 500_000)}} }""";
        Assert.IsType<ResultMessage.Violation>(new ResultDecoder(Nonce).Decode(Encoding.UTF8.GetBytes(deep)));
    }

    [Fact]
    public void A_long_traceback_is_cut_and_a_long_code_refused()
    {
        var text = new string('x', 200_000);
        var done = Assert.IsType<ResultMessage.Done>(new ResultDecoder(Nonce).Decode(Encoding.UTF8.GetBytes(
            $$"""{"t":"done","run":"{{Nonce}}","status":"error","error":{"name":"E","value":"{{text}}","traceback":"{{text}}"} }""")));
        Assert.Equal(ResultDecoder.MaxTracebackChars + 1, done.Error!.Traceback.Length);
        Assert.IsType<ResultMessage.Violation>(new ResultDecoder(Nonce).Decode(Encoding.UTF8.GetBytes(
            $$"""{"t":"notice","run":"{{Nonce}}","code":"{{text}}","message":"m"}""")));
    }

    private static int Feed(FrameBuffer buffer, ReadOnlySpan<byte> bytes, int atMost)
    {
        var free = buffer.Free();
        var count = Math.Min(atMost, Math.Min(free.Length, bytes.Length));
        bytes[..count].CopyTo(free.Span);
        buffer.Advance(count);
        return count;
    }

    private static byte[] Mutate(Random random)
    {
        var text = Seeds[random.Next(Seeds.Length)];
        for (var changes = random.Next(0, 4); changes > 0; changes--)
        {
            var at = random.Next(text.Length);
            text = random.Next(4) switch
            {
                0 => text.Insert(at, Splices[random.Next(Splices.Length)]),
                1 => text.Remove(at, Math.Min(random.Next(1, 10), text.Length - at)) + " ",
                2 => text[..(at + 1)],
                _ => text[..at] + Seeds[random.Next(Seeds.Length)],
            };
        }

        var bytes = Encoding.UTF8.GetBytes(text);
        if (random.Next(3) == 0)
        {
            bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
        }

        return bytes;
    }

    private static int Compose(Random random, byte[] stream)
    {
        var length = 0;
        for (var frames = random.Next(1, 4); frames > 0; frames--)
        {
            var body = Mutate(random);
            BinaryPrimitives.WriteInt32BigEndian(stream.AsSpan(length), random.Next(5) switch
            {
                0 => random.Next(),
                1 => body.Length + random.Next(-4, 40),
                2 => random.Next(0, 1 << 21),
                _ => body.Length,
            });
            var sent = Math.Min(body.Length, 2000);
            body.AsSpan(0, sent).CopyTo(stream.AsSpan(length + 4));
            length += 4 + sent;
        }

        return length;
    }
}
