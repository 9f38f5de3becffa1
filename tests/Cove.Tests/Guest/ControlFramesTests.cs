using System.Text.Json;
using Cove.Engine.Guest;
using Xunit;

namespace Cove.Tests.Guest;

public sealed class ControlFramesTests
{
    [Theory]
    [InlineData("print('hi')")]
    [InlineData("\"quotes\" and \\ and \n\r\t and \u0001\u001f")]
    [InlineData("€ 😀 \u2028 \u007f \0")]
    [InlineData("")]
    public void Code_arrives_as_it_was_given(string code)
    {
        using var document = JsonDocument.Parse(ControlFrames.Execute("abc", code)!.Value);
        Assert.Equal("execute", document.RootElement.GetProperty("t").GetString());
        Assert.Equal("abc", document.RootElement.GetProperty("run").GetString());
        Assert.Equal(code, document.RootElement.GetProperty("code").GetString());
    }

    [Fact]
    public void The_longest_code_fits_unless_its_escapes_make_it_larger_than_a_frame()
    {
        Assert.NotNull(ControlFrames.Execute("abc", string.Concat(Enumerable.Repeat("😀", 225_000))));
        Assert.Null(ControlFrames.Execute("abc", new string('\n', 900_000)));
    }
}
