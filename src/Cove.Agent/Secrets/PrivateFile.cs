using System.Runtime.InteropServices;
using System.Text;

namespace Cove.Agent.Secrets;

/// <summary>Reads a file that must be its user's alone. What is judged is what was opened: a name can be given to another file in between.</summary>
internal static partial class PrivateFile
{
    private const uint OthersMask = 0x3F; // rwxrwx of group and others

    /// <summary>The text of it.</summary>
    /// <param name="path">The file.</param>
    /// <param name="maximumBytes">How long it may be.</param>
    /// <param name="refuse">Makes the error of what is wrong and what would mend it: only the caller knows what the file is for.</param>
    public static string ReadText(string path, int maximumBytes, Func<string, string, CoveException> refuse)
    {
        try
        {
            Judge(UnixStat.Of(path) ?? throw refuse("it is not there", "Name a file that this user can read."), path, refuse);
            using var file = new FileStream(path, new FileStreamOptions { Mode = FileMode.Open, Access = FileAccess.Read, Share = FileShare.ReadWrite });
            Judge(UnixStat.Of($"/proc/self/fd/{file.SafeFileHandle.DangerousGetHandle()}") ?? throw refuse("what was opened can't be looked at", "Mount /proc."), path, refuse);
            if (file.Length > maximumBytes)
            {
                throw refuse($"it is longer than {maximumBytes} bytes", "Keep secrets in it and nothing else.");
            }

            var bytes = new byte[file.Length];
            file.ReadExactly(bytes);
            return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(bytes);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw refuse("it can't be read: " + failure.Message.TrimEnd('.'), "Name a file that this user can read.");
        }
        catch (DecoderFallbackException)
        {
            throw refuse("it is not UTF-8", "Write it as UTF-8.");
        }
    }

    private static void Judge(UnixStat stat, string path, Func<string, string, CoveException> refuse)
    {
        if (!stat.IsRegular)
        {
            throw refuse("it is no regular file", "Name a file.");
        }

        if ((stat.Mode & OthersMask) != 0)
        {
            throw refuse($"others than its owner may use it (mode {Convert.ToString(stat.Mode & 0x1FF, 8).PadLeft(4, '0')})", $"chmod 600 {path}");
        }

        if (stat.User != 0 && stat.User != EffectiveUser())
        {
            throw refuse($"it belongs to another user (id {stat.User})", $"chown it to the user this runs as (id {EffectiveUser()}), after a look at what is in it.");
        }
    }

    [LibraryImport("libc", EntryPoint = "geteuid")]
    private static partial uint EffectiveUser();
}
