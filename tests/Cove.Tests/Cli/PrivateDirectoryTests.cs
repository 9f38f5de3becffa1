using Cove.Tests.Support;
using Cove.Cli;
using Cove.Cli.Warm;
using Xunit;

namespace Cove.Tests.Cli;

public sealed class PrivateDirectoryTests : IDisposable
{
    private static readonly uint Own = Libc.EffectiveUser();
    private readonly DirectoryInfo _place = TemporaryPlace.Make();

    public void Dispose() => _place.Delete(recursive: true);

    [Fact]
    public void It_is_made_for_its_user_alone()
    {
        var path = PrivateDirectory.Make(Path.Combine(_place.FullName, "d"), Own);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(path));
        Assert.Equal(path, PrivateDirectory.Make(path, Own));
    }

    [Fact]
    public void One_that_others_may_enter_is_refused()
    {
        var path = Directory.CreateDirectory(Path.Combine(_place.FullName, "d")).FullName;
        File.SetUnixFileMode(path, (UnixFileMode)0x1ED);
        Assert.Contains("others may enter it", Refused(path, Own), StringComparison.Ordinal);
    }

    [Fact]
    public void One_of_another_user_is_refused() =>
        Assert.Contains("it belongs to user id", Refused(Path.Combine(_place.FullName, "d"), Own + 1), StringComparison.Ordinal);

    [Fact]
    public void A_link_is_refused_even_to_a_good_one()
    {
        var good = PrivateDirectory.Make(Path.Combine(_place.FullName, "good"), Own);
        var link = Path.Combine(_place.FullName, "link");
        Directory.CreateSymbolicLink(link, good);
        Assert.Contains("it is a link or a file", Refused(link, Own), StringComparison.Ordinal);
    }

    [Fact]
    public void A_lock_is_held_by_one()
    {
        var path = Path.Combine(_place.FullName, "lock");
        using (var held = FileLock.TryTake(path))
        {
            Assert.NotNull(held);
            Assert.Null(FileLock.TryTake(path));
        }

        using var again = FileLock.TryTake(path);
        Assert.NotNull(again);
    }

    [Fact]
    public void Another_build_or_a_lesser_boundary_is_another_engine()
    {
        var full = new EnginePlace("/run/x", "build1", []);
        Assert.Equal("/run/x/engine-build1.sock", full.Socket);
        Assert.Equal("/run/x/engine-build1-no-cpu-no-memory.sock", (full with { AllowDegraded = ["cpu", "memory"] }).Socket);
    }

    [Fact]
    public void The_log_stays_within_its_bounds()
    {
        var log = Path.Combine(_place.FullName, "engine.log");
        File.WriteAllText(log, new string('x', 5 << 20));
        EngineLog.Bound(log);
        Assert.Equal(0, new FileInfo(log).Length);
        Assert.Equal(5 << 20, new FileInfo(log + ".1").Length);
        File.WriteAllText(log, "one\ntwo\n");
        Assert.Equal("two", EngineLog.Tail(log, 4));
    }

    private static string Refused(string path, uint user) => Assert.Throws<CoveException>(() => PrivateDirectory.Make(path, user)).Error.Message;
}
