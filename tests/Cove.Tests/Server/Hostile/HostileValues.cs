using System.Text;

namespace Cove.Tests.Server.Hostile;

/// <summary>What a hostile caller puts where something else is expected.</summary>
internal static class HostileValues
{
    private static readonly string _long = new('x', 100_000);

    /// <summary>JSON that no field of any request may take: it is no text, no number, no JSON, or deeper than anything.</summary>
    public static IReadOnlyList<byte[]> NeverJson { get; } =
    [
        [(byte)'"', 0xff, 0xfe, (byte)'"'],
        [(byte)'"', 0xed, 0xa0, 0x80, (byte)'"'], // half of a surrogate pair, as UTF-8 would have it
        [(byte)'"', 0xc0, 0x80, (byte)'"'], // a NUL that is longer than it need be
        [(byte)'"', 0, (byte)'"'],
        .. new[]
        {
            """
            "\ud800"
            """, """
            "a\udc00b"
            """, "nope", "", "NaN", "0x10", "01", "'x'", "\"", "{\"a\":1", "[1", new string('[', 200_000), string.Concat(Enumerable.Repeat("{\"a\":", 50_000)), "{\"a\":{\"b\":{\"c\":1}}}", "[[[1]]]", "[{}]",
        }.Select(Encoding.UTF8.GetBytes),
    ];

    /// <summary>JSON that some fields take and others must refuse.</summary>
    public static IReadOnlyList<byte[]> OddJson { get; } =
    [
        .. new[]
        {
            "null", "true", "0", "-1", "1.5", "1e308", "-9223372036854775809", "9223372036854775808", "1e999", "[]", "{}", "[null]", "[\"/bin/true\",null]", "[\"\\u0000\"]", "{\"a\":null}", "{\"\":\"x\"}",
            "{\"\\u0000\":\"x\"}", "{\"a\":\"1\",\"a\":\"2\"}", "{\"LD_PRELOAD\":\"/workspace/x.so\"}", "\"\"", "\" \"", "\"\\u0000\"", "\"a\\u0000b\"", "\"../../../../etc/passwd\"", "\"/../../etc/passwd\"", "\"/proc/1/root/etc/passwd\"",
            "\"/workspace/\\u202e\\r\\nX-Evil: 1\"", "\"💣\"", "\"python\\n\"", "\"PYTHON\"", $"\"{_long}\"", $"[\"{_long}\"]", $"{{\"{_long}\":\"{_long}\"}}", $"[{string.Join(',', Enumerable.Repeat("\"a\"", 20_000))}]",
        }.Select(Encoding.UTF8.GetBytes),
    ];

    /// <summary>Parts of an address, escaped as they are sent.</summary>
    public static IReadOnlyList<string> Address { get; } =
    [
        "..%2f..%2f..%2fetc%2fpasswd", "%2e%2e", "%2e%2e%2f", "..%5c..", "%00", "a%00b", "%ff%fe", "%ed%a0%80", "%c0%af", "%0d%0aX-Evil:%201", "%f0%9f%92%a3", "%25252e", "%", "%zz", new('a', 41), new('a', 4000),
        "AAAAAAAA", "-1", "'%20OR%20'1'='1", "%3Cscript%3E", "*", "%e2%80%ae",
    ];

    /// <summary>Values of parameters beyond those.</summary>
    public static IReadOnlyList<string> Query { get; } = [.. Address, "", "99999999999999999999", "9223372036854775807", "-9223372036854775808", "2147483648", "1e9", "0x10", "%201", "NaN", "true,true", "TRUE", "777777", "%2fworkspace%2f..%2f..%2fetc%2fpasswd", "%2fproc%2f1%2froot"];

    /// <summary>Values of headers, a byte a character.</summary>
    public static IReadOnlyList<string> Header { get; } = ["", " ", "\u00ff\u00fe", "a\tb", new('a', 8000), "-1", "bytes=-", "bytes=9-1", "bytes=99999999999999999999-", "bytes=" + string.Join(',', Enumerable.Repeat("0-", 1000)), "*/*;q=nan", "application/json;charset=", "00-00000000000000000000000000000000-0000000000000000-00", "../../x", "{\"a\":1}", "a, b", "\u007f"];
}
