using Cove.Engine.Templates.Building;
using Xunit;

namespace Cove.Tests.Templates;

public sealed class AptSourcesTests
{
    [Fact]
    public void One_line_entries_of_the_release_are_kept()
    {
        const string Text = """
            # a comment
            deb http://deb.debian.org/debian bookworm main
            deb [signed-by=/k.gpg arch=amd64] http://deb.debian.org/debian-security bookworm-security main
            deb-src http://deb.debian.org/debian bookworm main
            deb https://packages.example.com/apt cloud-sdk-bookworm main
            deb https://packages.example.com/apt trixie main
            """;
        Assert.Equal(
            ["deb http://deb.debian.org/debian bookworm main", "deb [signed-by=/k.gpg arch=amd64] http://deb.debian.org/debian-security bookworm-security main"],
            AptSources.Lines(Text, "bookworm"));
    }

    [Fact]
    public void Stanzas_of_the_release_are_kept_whole()
    {
        const string Text = """
            Types: deb
            # http://snapshot.debian.org/archive/debian
            URIs: http://deb.debian.org/debian
            Suites: bookworm bookworm-updates
            Components: main
            Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

            Types: deb
            URIs: https://deb.example.com/node_20.x
            Suites: nodistro
            Components: main

            Enabled: no
            Types: deb
            URIs: http://deb.debian.org/debian
            Suites: bookworm-backports
            """;
        var stanza = Assert.Single(AptSources.Stanzas(Text, "bookworm"));
        Assert.StartsWith("Types: deb\nURIs: http://deb.debian.org/debian\nSuites: bookworm bookworm-updates\n", stanza, StringComparison.Ordinal);
        Assert.EndsWith("debian-archive-keyring.gpg", stanza, StringComparison.Ordinal);
    }
}
