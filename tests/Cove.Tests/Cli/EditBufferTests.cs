using Cove.Tests.Support;
using Cove.Cli.Shell;
using Xunit;

namespace Cove.Tests.Cli;

public sealed class EditBufferTests
{
    [Fact]
    public void Keys_do_what_fingers_expect()
    {
        var buffer = new EditBuffer();
        buffer.Insert("print(hello world)");
        buffer.WordLeft();
        Assert.Equal(12, buffer.Cursor);
        buffer.KillWord();
        Assert.Equal("print(world)", buffer.Text);
        buffer.End();
        buffer.Yank();
        Assert.Equal("print(world)hello ", buffer.Text);
        buffer.Home();
        buffer.Right();
        buffer.KillToEnd();
        Assert.Equal(("p", 1), (buffer.Text, buffer.Cursor));
        buffer.KillToStart();
        buffer.Backspace();
        buffer.Delete();
        Assert.Equal(("", 0), (buffer.Text, buffer.Cursor));
    }

    [Fact]
    public void The_cursor_never_stands_within_a_character()
    {
        var buffer = new EditBuffer();
        buffer.Insert("a\ud83d\ude00b");
        buffer.Left();
        buffer.Left();
        Assert.Equal(1, buffer.Cursor);
        buffer.Delete();
        Assert.Equal("ab", buffer.Text);
    }

    [Theory]
    [InlineData("a\nb")]
    [InlineData("a\\nb\\\\")]
    [InlineData("\\")]
    [InlineData("")]
    public void History_keeps_a_cell_on_a_line(string cell)
    {
        Assert.DoesNotContain('\n', History.Encode(cell));
        Assert.Equal(cell, History.Decode(History.Encode(cell)));
    }

    [Fact]
    public void History_is_kept_for_its_user_alone()
    {
        var path = Path.Combine(TemporaryPlace.Make().FullName, "history");
        new History(path).Add("a = 1");
        var history = new History(path);
        history.Add("if a:\n    b");
        history.Add("if a:\n    b");

        Assert.Equal(["a = 1", "if a:\n    b"], new History(path).Entries);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
    }
}
