using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.Escapes;

/// <summary>Of the host's files only the system directories that the template names can be seen.</summary>
public abstract class HostFilesAreInvisible(IEngineUnderAttack engine) : EscapeSuite(engine)
{
    /// <summary>Reads every file of the sandbox outside of /usr and /proc, and reports those that hold a planted secret.</summary>
    private const string SearchEverything = """
        import re
        pattern = re.compile(rb"PLANT[0-9a-f]{32}")
        for top, folders, names in os.walk("/"):
            folders[:] = [f for f in folders if os.path.join(top, f) not in ("/usr", "/proc")]
            for name in names:
                path = os.path.join(top, name)
                try:
                    if stat.S_ISREG(os.stat(path).st_mode) and pattern.search(open(path, "rb").read()):
                        got.append(path)
                except OSError:
                    pass
        """;

    [Fact]
    public async Task A_secret_in_the_hosts_folders_is_not_found()
    {
        var secret = Attack.NewSecret();
        string[] folders = [Path.GetTempPath(), "/var/tmp", LiveEngine.Repository, LiveEngine.StateDirectory, Environment.GetFolderPath(Environment.SpecialFolder.UserProfile)];
        var planted = new List<string>();
        try
        {
            foreach (var folder in folders.Where(Directory.Exists).Where(CanWrite))
            {
                var path = Path.Combine(folder, secret + ".txt");
                await File.WriteAllTextAsync(path, secret);
                planted.Add(path);
            }

            Assert.NotEmpty(planted);
            await using var sandbox = await SandboxAsync();
            await AssertHeldAsync(sandbox, SearchEverything);
            var paths = string.Join(", ", planted.Select(p => $"'{p}'"));
            await AssertHeldAsync(sandbox, $"""
                for path in ({paths}):
                    for prefix in ("", "/proc/1/root", "/proc/self/root", "/proc/self/root/../..", "/proc/self/cwd/../../..", "/proc/thread-self/root", "/proc/1/cwd", "/proc/0/root", "/..", "/proc/self/task/1/root"):
                        attempt(prefix + path, lambda: open(prefix + path).read())
                """);
            // The scanner does find what is there.
            await sandbox.PythonAsync($"open('/tmp/here', 'w').write('{secret}')");
            Assert.Equal("/tmp/here\n", (await sandbox.PythonAsync(Attack.Script(SearchEverything), Generous)).Stdout);
        }
        finally
        {
            planted.ForEach(File.Delete);
        }
    }

    [Fact]
    public async Task Places_of_the_host_are_not_there()
    {
        await using var sandbox = await SandboxAsync();
        const string Code = """
            for path in ("/etc/shadow", "/etc/gshadow", "/etc/sudoers", "/etc/subuid", "/etc/ssh", "/etc/ssl/private", "/etc/machine-info", "/etc/fstab", "/etc/crontab",
                         "/root", "/boot", "/sys", "/media", "/lost+found", "/initrd", "/var/log", "/var/lib", "/var/run/docker.sock", "/run/docker.sock",
                         "/run/systemd", "/run/secrets", "/run/user", "/work", "/data", "/dev/mem", "/dev/kmem", "/dev/port", "/dev/kmsg", "/dev/kvm", "/dev/fuse",
                         "/dev/net/tun", "/dev/loop-control", "/dev/mapper", "/dev/disk", "/dev/input", "/dev/snd", "/dev/vsock", "/dev/vhost-vsock", "/dev/userfaultfd"):
                attempt(path, lambda: os.lstat(path))
            got.extend("/home/" + n for n in os.listdir("/home") if n != "user")
            for folder in ("/run", "/mnt", "/srv", "/var/tmp", "/usr/local", "/opt"):
                got.extend(f"{folder}/{n}" for n in os.listdir(folder) if folder + "/" + n not in ("/opt/cove", "/opt/template"))
            for top, folders, names in os.walk("/dev"):
                for name in names:
                    path = os.path.join(top, name)
                    mode = os.lstat(path).st_mode
                    if stat.S_ISBLK(mode) or stat.S_ISCHR(mode) and path not in ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty", "/dev/pts/ptmx"):
                        got.append(path)
            """;
        await AssertHeldAsync(sandbox, Code);
        await AssertHeldInCommandAsync(sandbox, Code);
    }

    [Fact]
    public async Task No_process_leads_out_through_its_root_directory_or_descriptors()
    {
        await using var sandbox = await SandboxAsync();
        const string Code = """
            here = os.stat("/")
            for pid in range(1, 4000):
                for link in ("root", "cwd", "exe"):
                    try:
                        target = os.stat(f"/proc/{pid}/{link}")
                        opened = os.listdir(f"/proc/{pid}/{link}") if link == "root" else None
                    except OSError:
                        continue
                    if link == "root" and (target.st_dev, target.st_ino) != (here.st_dev, here.st_ino):
                        got.append(f"/proc/{pid}/{link}: {opened}")
                try:
                    numbers = os.listdir(f"/proc/{pid}/fd")
                except OSError:
                    continue
                for number in numbers:
                    try:
                        # A folder that is held open from outside leads out by its "..".
                        if os.path.isdir(f"/proc/{pid}/fd/{number}") and not os.path.realpath(f"/proc/{pid}/fd/{number}").startswith("/"):
                            got.append(f"/proc/{pid}/fd/{number}")
                        up = os.stat(f"/proc/{pid}/fd/{number}/../../../../../..")
                        if (up.st_dev, up.st_ino) != (here.st_dev, here.st_ino):
                            got.append(f"/proc/{pid}/fd/{number}/..")
                    except OSError:
                        pass
            """;
        await AssertHeldAsync(sandbox, Code);
        await AssertHeldInCommandAsync(sandbox, Code);
    }

    private static bool CanWrite(string folder)
    {
        try
        {
            var probe = Path.Combine(folder, Path.GetRandomFileName());
            File.WriteAllText(probe, "");
            File.Delete(probe);
            return true;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
