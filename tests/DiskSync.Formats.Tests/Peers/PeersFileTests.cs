using System.Text;
using DiskSync.Formats.Peers;
using FsCheck.Xunit;

namespace DiskSync.Formats.Tests.Peers;

public sealed class PeersFileTests
{
    private const string Key = "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU";
    private const string Other = "SHA256:n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg";

    [Fact]
    public void Entries_are_read_in_order_and_remarks_are_not()
    {
        IReadOnlyList<PeerEntry> entries = PeersFile.Decode(Bytes($"# who may\n\n  \t\nweb1 {Key}\n\tB.example:7110 \t {Other}  # moved\n[2001:DB8:0::1]:7110 {Key}"));

        Assert.Equal(["web1", "b.example:7110", "[2001:db8::1]:7110"], entries.Select(e => e.Name.ToString()));
        Assert.Equal([Key, Other, Key], entries.Select(e => e.Fingerprint.Text));
        Assert.Equal([true, false, false], entries.Select(e => e.AdmitsSources));
    }

    [Theory]
    [InlineData("web1", "line 1")]
    [InlineData("web1 SHA256:short", "line 1")]
    [InlineData("# fine\nweb1 " + Key + " and more", "line 2")]
    [InlineData("web1 " + Key + "\n\nWEB1 " + Other, "line 3")]
    [InlineData("web1 " + Key + "\r\n", "line 1")]
    [InlineData("we b1 " + Key, "line 1")]
    [InlineData("-web1 " + Key, "line 1")]
    [InlineData("web1:0 " + Key, "line 1")]
    [InlineData("web1:65536 " + Key, "line 1")]
    [InlineData("[::1]7110 " + Key, "line 1")]
    [InlineData("[192.0.2.7]:7110 " + Key, "line 1")]
    [InlineData("fe80::1%eth0 " + Key, "line 1")]
    public void A_file_with_one_bad_line_is_refused_as_a_whole_and_the_line_is_named(string file, string line) =>
        Assert.Contains(line, Assert.Throws<FormatViolationException>(() => PeersFile.Decode(Bytes(file))).Message, StringComparison.Ordinal);

    [Fact]
    public void A_file_that_is_not_text_or_too_large_is_refused()
    {
        Assert.Throws<FormatViolationException>(() => PeersFile.Decode([.. "# "u8, 0xff, 0x0a]));
        Assert.Throws<FormatViolationException>(() => PeersFile.Decode(new byte[PeersFile.MaxSize + 1]));
    }

    [Fact]
    public void Adding_and_taking_out_leave_every_other_line_as_it_was()
    {
        byte[] file = Bytes($"# keep me\nweb1 {Key} # and me\nweb2 {Other}");
        PeerEntry entry = new(PeerName.TryParse("[::1]:7110")!, Fingerprint.TryParse(Other)!);

        byte[] more = PeersFile.With(file, entry);
        Assert.Equal($"# keep me\nweb1 {Key} # and me\nweb2 {Other}\n[::1]:7110 {Other}\n", Encoding.UTF8.GetString(more));
        Assert.Equal(
            $"# keep me\nweb1 {Key} # and me\n[::1]:7110 {Other}\n",
            Encoding.UTF8.GetString(PeersFile.Without(more, PeerName.TryParse("WEB2")!)));
    }

    [Theory]
    [InlineData("web1", "web1")]
    [InlineData("Web1.Example.", "web1.example.")]
    [InlineData("web1:7110", "web1:7110")]
    [InlineData("192.0.2.7", "192.0.2.7")]
    [InlineData("192.0.2.7:1", "192.0.2.7:1")]
    [InlineData("::1", "[::1]")]
    [InlineData("[0:0::1]", "[::1]")]
    [InlineData("[::1]:65535", "[::1]:65535")]
    public void A_name_is_written_in_one_form(string text, string written)
    {
        PeerName name = PeerName.TryParse(text)!;
        Assert.Equal(written, name.ToString());
        Assert.Equal(name, PeerName.TryParse(written));
    }

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData(":7110")]
    [InlineData("web1:")]
    [InlineData("web1:+1")]
    [InlineData("web1:07x")]
    [InlineData("[::1")]
    [InlineData("[::1]:")]
    [InlineData("[]:1")]
    [InlineData("a/b")]
    [InlineData("a@b")]
    [InlineData(".a")]
    [InlineData("ä")]
    public void What_is_not_a_name_is_none(string text) => Assert.Null(PeerName.TryParse(text));

    [Fact]
    public void A_name_too_long_for_the_domain_system_is_none()
    {
        Assert.NotNull(PeerName.TryParse(new string('a', 253)));
        Assert.Null(PeerName.TryParse(new string('a', 254)));
    }

    [Property(MaxTest = 100)]
    public void Every_fingerprint_comes_back_as_it_was(byte[] key)
    {
        Fingerprint fingerprint = Fingerprint.Of(key);
        Assert.Equal(fingerprint, Fingerprint.TryParse(fingerprint.Text));
        Assert.Equal(Fingerprint.TextLength, fingerprint.Text.Length);
    }

    [Fact]
    public void A_fingerprint_in_another_form_is_none()
    {
        // The last character's unused bits: U, V, W and X decode to the same bytes.
        Assert.NotNull(Fingerprint.TryParse(Key));
        Assert.Null(Fingerprint.TryParse(Key[..^1] + "V"));
        Assert.Null(Fingerprint.TryParse(Key.Replace("SHA256", "sha256", StringComparison.Ordinal)));
        Assert.Null(Fingerprint.TryParse(Key + "="));
        Assert.Null(Fingerprint.TryParse(Key.Remove(Key.Length - 1)));
        Assert.Null(Fingerprint.TryParse(Key[..^2] + " U"));
    }

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);
}
