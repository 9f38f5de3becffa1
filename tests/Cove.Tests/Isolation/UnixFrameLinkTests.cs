using System.Text;
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
}
