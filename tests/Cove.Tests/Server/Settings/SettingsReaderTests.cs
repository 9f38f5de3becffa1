using Cove.Server.Settings;
using Cove.Tests.Support;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Cove.Tests.Server.Settings;

public sealed class SettingsReaderTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    /// <summary>For every key an acceptable value, another one, and one that is not acceptable.</summary>
    private static readonly Dictionary<string, (string Good, string Other, string Bad)> Examples = new()
    {
        ["urls"] = ("http://127.0.0.1:1000", "http://[::1]:2000,http://127.0.0.1:3000", "http://example.com:80"),
        ["port"] = ("8080", "9090", "0"),
        ["data"] = ("/tmp/one", "/tmp/two", "relative/path"),
        ["database"] = ("Host=a;Password=secret1", "Host=b;Password=secret2", new string('x', 5000)),
        ["api_key"] = ("cove_aaaaaaaa_" + new string('b', 32), "cove_cccccccc_" + new string('d', 32), "cove_tooshort"),
        ["allow_anonymous"] = ("true", "false", "yes"),
        ["hosts"] = ("cove.example.com", "*.a.example,b.example", "*.com"),
        ["allow_degraded"] = ("memory,cpu", "pids", "everything"),
        ["max_body_bytes"] = ("70000", "80000", "1"),
        ["max_connections"] = ("5", "6", "0"),
        ["held_bytes"] = ("16777216", "33554432", "1"),
        ["read_seconds"] = ("5", "3600", "4"),
        ["max_sandboxes"] = ("7", "8", "many"),
        ["pool_size"] = ("0", "3", "1001"),
        ["quota_sandboxes"] = ("3", "4", "0"),
        ["quota_memory_bytes"] = ("67108864", "134217728", "1"),
        ["quota_cpu_seconds"] = ("5", "6", "1d"),
        ["quota_requests"] = ("7", "8", "-1"),
        ["auth_failures"] = ("1", "2", "10001"),
        ["retention_days"] = ("1", "3653", "0"),
        ["audit_reads"] = ("true", "false", "some"),
        ["tools"] = ("/tmp/one.yaml", "/tmp/one.yaml,/tmp/two.json", "relative.yaml"),
        ["secrets"] = ("/tmp/one", "/tmp/two", "relative"),
        ["drain_seconds"] = ("1", "2", "-1"),
        ["log"] = ("json", "text", "xml"),
        ["log_level"] = ("debug", "error", "loud"),
        ["otlp"] = ("http://127.0.0.1:4318", "https://collector.example", "127.0.0.1:4318"),
        ["tls_cert"] = ("/tmp/cert.pem", "/tmp/other.pem", "cert.pem"),
        ["tls_key"] = ("/tmp/key.pem", "/tmp/other.key", "key.pem"),
        ["google_project"] = ("my-project", "other-project", "NOT A PROJECT"),
    };

    public static TheoryData<string> Keys => [.. ServerSettings.All.Select(setting => setting.Key)];

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void Defaults_are_those_that_are_documented()
    {
        var options = Read();
        Assert.Equal("http://127.0.0.1:8787", Assert.Single(options.Urls).ToString());
        Assert.Equal("/state/cove/server", options.DataDirectory);
        Assert.Equal("/var/lib/cove", new SettingsReader(_ => null, isRoot: true).Read(new Dictionary<string, string>(), null).DataDirectory);
        Assert.False(options.AllowAnonymous);
        Assert.Null(options.Database);
        Assert.Equal((96 << 20, 10_000, 1000, null), (options.MaxBodyBytes, options.MaxConnections, options.MaxSandboxes, options.PoolSize));
        Assert.Equal(TimeSpan.FromSeconds(30), options.DrainTime);
        Assert.Equal((200, 256L << 30, 86_400, 600_000), (options.Quotas.MaxSandboxes, options.Quotas.MaxMemoryBytes, options.Quotas.CpuSecondsPerDay, options.Quotas.RequestsPerMinute));
        Assert.Equal((20, 90, false), (options.FailuresPerMinute, options.Retention.Days, options.AuditReads));
        Assert.Equal((LogLevel.Information, LogFormat.Auto), (options.LogLevel, options.LogFormat));
        Assert.Equal(["127.0.0.1", "[::1]", "localhost"], options.AcceptedHosts.Order(StringComparer.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Keys))]
    public void Every_key_is_read_from_each_of_its_sources_and_the_nearer_wins(string key)
    {
        var setting = ServerSettings.All.Single(s => s.Key == key);
        var (good, other, _) = Examples[key];
        var expected = Describe(Applied(setting, good));
        var file = ConfigWith(key, good);

        // The file alone, then the environment over a file that says otherwise, then the flag over both.
        Assert.Equal(expected, Describe(Apply(setting, null, null, file)));
        foreach (var variable in setting.Environment)
        {
            Assert.Equal(expected, Describe(Apply(setting, null, (variable, good), ConfigWith(key, other))));
        }

        if (setting.Flag is not null)
        {
            Assert.Equal(expected, Describe(Apply(setting, good, (setting.Environment[0], other), ConfigWith(key, other))));
        }

        Assert.NotEmpty(setting.Environment);
        Assert.NotEqual(Describe(Applied(setting, other)), expected); // or this could not fail
    }

    [Theory]
    [MemberData(nameof(Keys))]
    public void A_bad_value_is_refused_naming_key_source_value_and_fix(string key)
    {
        var setting = ServerSettings.All.Single(s => s.Key == key);
        var bad = Examples[key].Bad;
        var sources = setting.Environment.Select(name => (Name: name, Read: (Action)(() => Read(environment: (name, bad))))).ToList();
        var file = ConfigWith(key, bad);
        sources.Add((file, () => Read(config: file)));
        if (setting.Flag is not null && key is not ("data" or "tools" or "secrets" or "tls_cert" or "tls_key")) // a flag's path may be relative
        {
            sources.Add((setting.Flag, () => Read(flag: (key, bad))));
        }

        foreach (var (name, read) in sources)
        {
            var error = Assert.Throws<CoveException>(read).Error;
            Assert.Equal("invalid_option", error.Code);
            Assert.Contains(key, error.Message, StringComparison.Ordinal);
            Assert.Contains(name, error.Message, StringComparison.Ordinal);
            Assert.Equal(!setting.IsSecret, error.Message.Contains($"'{bad}'", StringComparison.Ordinal));
            Assert.Contains(setting.Range, error.Remediation, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_port_in_the_environment_beats_the_file_and_urls_in_the_environment_beat_it()
    {
        var file = ConfigWith("urls", "http://127.0.0.1:1");
        Assert.Equal("http://0.0.0.0:8080", Read(environment: ("PORT", "8080"), config: file).Urls[0].ToString());
        var environment = new Dictionary<string, string> { ["PORT"] = "8080", ["COVE_URLS"] = "http://127.0.0.1:2", ["XDG_STATE_HOME"] = "/state" };
        Assert.Equal("http://127.0.0.1:2", new SettingsReader(environment.GetValueOrDefault, false).Read(new Dictionary<string, string>(), file).Urls[0].ToString());
    }

    [Theory]
    [InlineData("""{"urlz": "http://127.0.0.1:1"}""", "urlz")]
    [InlineData("""{"urls": "http://127.0.0.1:1", "urls": "http://127.0.0.1:2"}""", "urls")]
    [InlineData("""{"max_sandboxes": null}""", "max_sandboxes")]
    [InlineData("""{"max_sandboxes": [1]}""", "max_sandboxes")]
    [InlineData("""["urls"]""", "object")]
    [InlineData("{", "JSON")]
    public void A_file_that_is_not_wholly_understood_is_refused(string content, string named)
    {
        var path = Path.Combine(_directory.Path, "bad.json");
        File.WriteAllText(path, content);
        var error = Assert.Throws<CoveException>(() => Read(config: path)).Error;
        Assert.Contains(path, error.Message, StringComparison.Ordinal);
        Assert.Contains(named, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Numbers_booleans_and_lists_may_be_written_as_json()
    {
        var path = Path.Combine(_directory.Path, "typed.json");
        File.WriteAllText(path, """{"max_sandboxes": 12, "allow_anonymous": true, "hosts": ["a.example", "b.example"]}""");
        var options = Read(config: path);
        Assert.Equal((12, true), (options.MaxSandboxes, options.AllowAnonymous));
        Assert.Equal(["a.example", "b.example"], options.Hosts);
    }

    [Fact]
    public void A_file_that_is_missing_is_an_error_and_none_is_read_unless_named()
    {
        Assert.Contains("/nowhere/cove.json", Assert.Throws<CoveException>(() => Read(config: "/nowhere/cove.json")).Error.Message, StringComparison.Ordinal);
        var named = ConfigWith("max_sandboxes", "77");
        Assert.Equal(77, Read(environment: ("COVE_CONFIG", named)).MaxSandboxes);
        Assert.Contains("COVE_CONFIG", Assert.Throws<CoveException>(() => Read(environment: ("COVE_CONFIG", "cove.json"))).Error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("http://0.0.0.0:80")]
    [InlineData("http://192.168.1.1:80")]
    [InlineData("http://127.0.0.1:80,http://[::]:81")]
    public void Anonymous_callers_are_allowed_on_loopback_only(string urls)
    {
        var environment = new Dictionary<string, string> { ["COVE_URLS"] = urls, ["COVE_ALLOW_ANONYMOUS"] = "true", ["HOME"] = "/home/x" };
        var error = Assert.Throws<CoveException>(() => new SettingsReader(environment.GetValueOrDefault, false).Read(new Dictionary<string, string>(), null)).Error;
        Assert.Contains("allow_anonymous", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("http://127.1:80")]
    [InlineData("http://2130706433:80")]
    [InlineData("http://127.0.0.1")]
    [InlineData("http://127.0.0.1:99999")]
    [InlineData("ftp://127.0.0.1:80")]
    [InlineData("http://user@127.0.0.1:80")]
    [InlineData("http://127.0.0.1:80/path")]
    [InlineData("http://::1:80")]
    [InlineData("http://localhost:0")]
    public void An_address_that_could_mean_another_is_refused(string url) => Assert.Null(ListenUrl.TryParse(url));

    [Fact]
    public void An_https_address_needs_certificate_and_key()
    {
        Assert.Contains("tls_cert", Assert.Throws<CoveException>(() => Read(flag: ("urls", "https://127.0.0.1:1"))).Error.Message, StringComparison.Ordinal);
        Assert.Contains("tls_cert", Assert.Throws<CoveException>(() => Read(environment: ("COVE_TLS_CERT", "/tmp/c.pem"))).Error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_document_names_every_setting()
    {
        var document = File.ReadAllText(Path.Combine(LiveEngine.Repository, "docs", "serve.md"));
        foreach (var setting in ServerSettings.All)
        {
            Assert.Contains($"| `{setting.Key}` |", document, StringComparison.Ordinal);
            Assert.All(setting.Environment, name => Assert.Contains($"`{name}`", document, StringComparison.Ordinal));
            Assert.True(setting.Flag is null || document.Contains($"`{setting.Flag}`", StringComparison.Ordinal), setting.Key);
        }
    }

    [Theory]
    [InlineData("none.json", null, "it can't be read: Could not find file")]
    [InlineData("bad.json", "urls: http://127.0.0.1:1", "it is no JSON:")]
    public void A_file_that_can_not_be_read_is_told_of_in_whole_sentences(string name, string? text, string words)
    {
        var path = Path.Combine(_directory.Path, name);
        if (text is not null)
        {
            File.WriteAllText(path, text);
        }

        var message = Assert.Throws<CoveException>(() => Read(config: path)).Error.Message;
        Assert.Contains(words, message, StringComparison.Ordinal);
        Assert.Matches(@"[^.]\.\z", message);
    }

    private string ConfigWith(string key, string value)
    {
        var path = Path.Combine(_directory.Path, $"{key}-{Guid.NewGuid():N}.json");
        File.WriteAllText(path, $$"""{"{{key}}": "{{value}}"}""");
        return path;
    }

    private static ServerOptions Read((string Key, string Value)? flag = null, (string Name, string Value)? environment = null, string? config = null) =>
        new SettingsReader(name => environment is { } set && set.Name == name ? set.Value : name == "XDG_STATE_HOME" ? "/state" : null, isRoot: false)
            .Read(flag is { } given ? new Dictionary<string, string> { [given.Key] = given.Value } : [], config);

    /// <summary>What a key alone makes of the options; certificate and key belong together, so the reader's last check is told apart from what it read.</summary>
    private static ServerOptions Applied(Setting setting, string value) =>
        setting.Apply(new ServerOptions { DataDirectory = "/state/cove/server" }, new SettingValue(value, "test")) ?? throw new InvalidOperationException($"{setting.Key}: the example is not acceptable.");

    private static ServerOptions Apply(Setting setting, string? flag, (string Name, string Value)? environment, string config)
    {
        if (setting.Key is "tls_cert" or "tls_key")
        {
            var error = Assert.Throws<CoveException>(() => Read(flag is null ? null : (setting.Key, flag), environment, config)).Error; // read, and its other half missed
            Assert.Contains("belong together", error.Message, StringComparison.Ordinal);
            return Applied(setting, Examples[setting.Key].Good);
        }

        return Read(flag is null ? null : (setting.Key, flag), environment, config);
    }

    private static string Describe(ServerOptions options) => string.Join(' ', options.Urls) + string.Join(' ', options.Hosts) + string.Join(' ', options.AllowDegraded) + string.Join(' ', options.ToolFiles) + options;
}
