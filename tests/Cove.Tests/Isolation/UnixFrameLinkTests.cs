using System.Text;
using Cove.Engine.Isolation;
using Cove.Engine.Isolation.Namespaces;
using Microsoft.Win32.SafeHandles;
using Xunit;

namespace Cove.Tests.Isolation;

/// <summary>Frames with descriptors beside them, as the kernel delivers them: several at once, or one in pieces.</summary>
public sealed class UnixFrameLinkTests
{
    [Theory]
    [InlineData(10)]
    [InlineData(100_000)]
    public async Task A_descriptor_stays_with_its_frame_when_frames_without_one_go_before_and_after(int size)
    {
        using var reactor = new Reactor();
        var (ours, theirs) = Libc.OpenSocketPair();
        using var receiver = new UnixFrameLink(reactor, ours);
        using var sender = new UnixFrameLink(reactor, theirs);
        for (var round = 0; round < 20; round++)
        {
            using var passed = File.OpenHandle("/dev/null");
            var sending = Task.Run(async () =>
            {
                foreach (var (name, descriptors) in new (string, SafeFileHandle[])[] { ("first", []), ("second", []), ("with", [passed]), ("after", []) })
                {
                    await sender.SendAsync(Encoding.ASCII.GetBytes(name.PadRight(size)), descriptors, CancellationToken.None);
                }
            }, TestContext.Current.CancellationToken);
            if (size < 1000)
            {
                await sending; // all lie in the socket before the first is read
            }

            foreach (var name in (string[])["first", "second", "with", "after"])
            {
                var frame = (await receiver.ReceiveAsync(CancellationToken.None))!.Value;
                Assert.Equal(name, Encoding.ASCII.GetString(frame.Body.Span).TrimEnd());
                Assert.Equal(name == "with", frame.Descriptor is not null);
                frame.Descriptor?.Dispose();
            }

            await sending;
        }
    }

    [Fact]
    public async Task What_has_come_is_taken_without_waiting()
    {
        using var reactor = new Reactor();
        var (ours, theirs) = Libc.OpenSocketPair();
        using var receiver = new UnixFrameLink(reactor, ours);
        using (var sender = new UnixFrameLink(reactor, theirs))
        {
            Assert.False(receiver.TryReceive(out _));
            await sender.SendAsync("one"u8.ToArray(), [], CancellationToken.None);
            await sender.SendAsync("two"u8.ToArray(), [], CancellationToken.None);
            foreach (var name in (string[])["one", "two"])
            {
                Assert.True(receiver.TryReceive(out var frame));
                Assert.Equal(name, Encoding.ASCII.GetString(frame!.Value.Body.Span));
            }

            Assert.False(receiver.TryReceive(out _));
        }

        Assert.True(receiver.TryReceive(out var end));
        Assert.Null(end);
    }

    [Fact]
    public void A_link_that_ends_within_a_frame_says_so()
    {
        using var reactor = new Reactor();
        var (ours, theirs) = Libc.OpenSocketPair();
        using var receiver = new UnixFrameLink(reactor, ours);
        Assert.Equal(6, Descriptors.Write(theirs, [0, 0, 0, 9, 1, 2]));
        Assert.False(receiver.TryReceive(out _));
        theirs.Dispose();
        Assert.Throws<FrameException>(() => receiver.TryReceive(out _));
    }
}
