using Cove.Engine.Templates;
using Cove.Engine.Templates.Building;
using Xunit;

namespace Cove.Tests.Templates;

public sealed class RootRecipeTests
{
    private static readonly Template _template = new() { Name = "media", Description = "d", DebianPackages = ["ffmpeg", "python3"] };

    [Fact]
    public void The_packages_the_release_and_the_sources_become_arguments()
    {
        var arguments = RootRecipe.Bootstrap(_template, "bookworm", asRoot: true, ["/w/host.list", "/w/host.sources"]);
        Assert.Contains("--mode=root", arguments);
        Assert.Contains("--variant=minbase", arguments);
        Assert.Contains("--include=python3,ca-certificates,ffmpeg", arguments);
        Assert.Contains("--aptopt=APT::Install-Recommends \"false\"", arguments);
        Assert.Contains("--dpkgopt=path-exclude=/usr/share/doc/*", arguments);
        Assert.Equal(["bookworm", "-", "/w/host.list", "/w/host.sources"], arguments.TakeLast(4));
    }

    [Fact]
    public void An_ordinary_user_builds_under_subordinate_ids() =>
        Assert.Contains("--mode=unshare", RootRecipe.Bootstrap(_template, "bookworm", asRoot: false, []));

    [Fact]
    public void Unpacking_takes_no_devices_and_no_owners()
    {
        var arguments = RootRecipe.Unpack("/r/media.new");
        Assert.Contains("--directory=/r/media.new", arguments);
        Assert.Contains("--no-same-owner", arguments);
        Assert.Contains("--exclude=./dev/*", arguments);
    }

    [Theory]
    [InlineData("PRETTY_NAME=\"Debian\"\nVERSION_CODENAME=bookworm\n", "bookworm")]
    [InlineData("VERSION_CODENAME=\"trixie\"", "trixie")]
    public void The_release_is_the_hosts(string text, string expected) => Assert.Equal(expected, HostRelease.Codename(text));

    [Theory]
    [InlineData("ID=alpine\n")]
    [InlineData("VERSION_CODENAME=--include=x")]
    [InlineData("VERSION_CODENAME=-v")]
    [InlineData("VERSION_CODENAME=$(id)")]
    public void A_host_without_a_usable_release_is_refused(string text) =>
        Assert.Equal("template_build_failed", Assert.Throws<CoveException>(() => HostRelease.Codename(text)).Error.Code);

    [Fact]
    public void A_mount_inside_is_found_before_anything_is_removed()
    {
        const string Info = "30 1 0:5 / /proc rw - proc proc rw\n31 1 0:6 / /var/roots/media.new/dev rw - devtmpfs udev rw\n";
        Assert.Equal("/var/roots/media.new/dev", HostRelease.MountBeneath("/var/roots/media.new", Info));
        Assert.Null(HostRelease.MountBeneath("/var/roots/media", Info));
    }
}
