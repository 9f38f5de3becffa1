using Cove.Server.Hosting;

namespace Cove.Server.Settings;

/// <summary>
/// Reads a server's options. A nearer source wins: flags, the environment, the configuration file, the defaults. Every error names the key, where
/// its value came from, the value (unless it is secret) and what would be right; nothing has started by then.
/// </summary>
/// <param name="environment">The environment, by name.</param>
/// <param name="isRoot">Whether this process is root.</param>
internal sealed class SettingsReader(Func<string, string?> environment, bool isRoot)
{
    private const string ConfigVariable = "COVE_CONFIG";

    /// <summary>Reads all sources. <paramref name="flags"/>: what stood on the command line, by key; <paramref name="configFile"/>: the file named there, if any.</summary>
    public ServerOptions Read(IReadOnlyDictionary<string, string> flags, string? configFile)
    {
        var file = ConfigFile(configFile) is { } path ? ConfigurationFile.Read(path) : new Dictionary<string, string>();
        var fileName = ConfigFile(configFile) ?? "";
        var options = new ServerOptions { DataDirectory = "" };

        // From the farthest to the nearest, so that a port in the environment beats urls in the file, and urls anywhere nearer beat it.
        options = Apply(options, setting => file.TryGetValue(setting.Key, out var text) ? new SettingValue(text, "the configuration file " + fileName) : null);
        options = Apply(options, FromEnvironment);
        options = Apply(options, setting => flags.TryGetValue(setting.Key, out var text) ? new SettingValue(text, setting.Flag!, IsFlag: true) : null);
        return Whole(options.DataDirectory.Length > 0 ? options : options with { DataDirectory = DefaultData() });
    }

    private string? ConfigFile(string? flag) => flag is not null ? Path.GetFullPath(flag)
        : environment(ConfigVariable) is not { Length: > 0 } named ? null
        : Path.IsPathFullyQualified(named) ? named
        : throw Bad("config", "the environment variable " + ConfigVariable, named, "an absolute path");

    private static ServerOptions Apply(ServerOptions options, Func<Setting, SettingValue?> source)
    {
        // 'urls' stands before 'port' in the table and wins within one source: it is applied last.
        foreach (var setting in ServerSettings.All.Reverse())
        {
            if (source(setting) is { } value)
            {
                options = setting.Apply(options, value) ?? throw Bad(setting.Key, value.Source, setting.IsSecret ? null : value.Text, setting.Range);
            }
        }

        return options;
    }

    private SettingValue? FromEnvironment(Setting setting)
    {
        foreach (var name in setting.Environment)
        {
            if (environment(name) is { Length: > 0 } text)
            {
                return new SettingValue(text, "the environment variable " + name);
            }
        }

        return null;
    }

    /// <summary>What can only be judged of all settings together.</summary>
    private static ServerOptions Whole(ServerOptions options)
    {
        if (options.AllowAnonymous && options.Urls.FirstOrDefault(url => !url.IsLoopback) is { } open)
        {
            throw Problems.Bad("invalid_option", $"allow_anonymous lets everybody in, and {open} can be reached from other machines.", "Listen on loopback only (urls = http://127.0.0.1:8787), or leave allow_anonymous off and give callers keys.");
        }

        if (options.Urls.Any(url => url.IsHttps) != (options.TlsCertificate is not null) || (options.TlsCertificate is null) != (options.TlsKey is null))
        {
            throw Problems.Bad("invalid_option", "An https address, tls_cert and tls_key belong together; one of them is missing.", "Give all three, or none and let a proxy in front speak TLS.");
        }

        foreach (var file in new[] { options.TlsCertificate, options.TlsKey }.OfType<string>().Where(file => !File.Exists(file)))
        {
            throw Problems.Bad("invalid_option", $"tls_cert or tls_key names {file}, which is not there.", "Give the path of a PEM file that this user can read.");
        }

        return options;
    }

    private string DefaultData()
    {
        if (isRoot)
        {
            return "/var/lib/cove";
        }

        var state = environment("XDG_STATE_HOME") is { Length: > 0 } xdg && Path.IsPathFullyQualified(xdg) ? xdg
            : environment("HOME") is { Length: > 0 } home && Path.IsPathFullyQualified(home) ? Path.Combine(home, ".local", "state")
            : throw Bad("data", "its default", null, "an absolute path, since neither XDG_STATE_HOME nor HOME is one");
        return Path.Combine(state, "cove", "server");
    }

    private static CoveException Bad(string key, string source, string? value, string range) =>
        Problems.Bad("invalid_option", value is null ? $"{key} (from {source}) is not acceptable." : $"{key} (from {source}) is '{Shown(value)}', which is not acceptable.", $"Give {range}.");

    private static string Shown(string value) => new([.. value.Take(200).Select(c => char.IsControl(c) ? '?' : c)]);
}
