using DiskSync.Engine.Transports;

namespace DiskSync.Engine.Tests.Transports;

public sealed class DestinationAddressTests
{
    [Theory]
    [InlineData("disksync://backup/vm.img", "backup:7110", "vm.img", "disksync://backup:7110/vm.img")]
    [InlineData("disksync://Backup:99/a/b.img", "backup:99", "a/b.img", "disksync://backup:99/a/b.img")]
    [InlineData("DISKSYNC://[2001:DB8::1]/vm.img", "[2001:db8::1]:7110", "vm.img", "disksync://[2001:db8::1]:7110/vm.img")]
    [InlineData("disksync://[::1]:99/vm.img", "[::1]:99", "vm.img", "disksync://[::1]:99/vm.img")]
    [InlineData("disksync://192.0.2.7/a%20b%2Fc%25%C3%BC", "192.0.2.7:7110", "a b/c%ü", "disksync://192.0.2.7:7110/a%20b/c%25%C3%BC")]
    [InlineData("disksync://h/ü+&=", "h:7110", "ü+&=", "disksync://h:7110/%C3%BC%2B%26%3D")]
    public void A_disksync_url_has_a_receiver_and_a_decoded_name(string text, string receiver, string name, string written)
    {
        DestinationAddress address = DestinationAddress.Parse(text);

        Assert.Equal(DestinationKind.Tcp, address.Kind);
        Assert.Equal(receiver, address.Receiver!.ToString());
        Assert.Equal(receiver, address.Endpoint);
        Assert.Equal(name, address.Name);
        Assert.Equal(written, address.ToString());
        Assert.Equal(name, DestinationAddress.Parse(written).Name);
    }

    [Theory]
    [InlineData("/srv/vm.img", true)]
    [InlineData("unix:/run/d.sock:vm.img", true)]
    [InlineData("disksync://127.0.0.1:99/vm.img", true)]
    [InlineData("disksync://[::1]/vm.img", true)]
    [InlineData("disksync://localhost/vm.img", true)]
    [InlineData("localhost:vm.img", true)]
    [InlineData("me@localhost:vm.img", true)]
    [InlineData("disksync://192.0.2.7/vm.img", false)]
    [InlineData("disksync://backup/vm.img", false)]
    [InlineData("backup:vm.img", false)]
    [InlineData("localhost@backup:vm.img", false)]
    public void An_address_tells_whether_a_network_lies_between(string text, bool staysOnHost) =>
        Assert.Equal(staysOnHost, DestinationAddress.Parse(text).StaysOnHost);

    [Theory]
    [InlineData("disksync://h", "vm.img")]
    [InlineData("disksync://h/", "vm.img")]
    [InlineData("disksync://h/a/b/", "a/b/vm.img")]
    [InlineData("disksync://h/other.img", "other.img")]
    public void A_url_that_names_a_folder_keeps_the_images_own_name(string text, string name) =>
        Assert.Equal(name, DestinationAddress.Parse(text).NameFor("/srv/vm.img"));

    [Theory]
    [InlineData("disksync://")]
    [InlineData("disksync:///vm.img")]
    [InlineData("disksync://me@h/vm.img")]
    [InlineData("disksync://h:/vm.img")]
    [InlineData("disksync://h:0/vm.img")]
    [InlineData("disksync://h:70000/vm.img")]
    [InlineData("disksync://::1/vm.img")]
    [InlineData("disksync://[::1/vm.img")]
    [InlineData("disksync://[::1%25eth0]/vm.img")]
    [InlineData("disksync://h/vm.img?x=1")]
    [InlineData("disksync://h/vm.img#part")]
    [InlineData("disksync://h/50%")]
    [InlineData("disksync://h/%zz")]
    [InlineData("disksync://h/%ff")]
    public void A_url_that_is_wrong_is_refused_with_one_that_is_right(string text)
    {
        DiskSyncException failure = Assert.Throws<DiskSyncException>(() => DestinationAddress.Parse(text));
        Assert.Equal(FailureKind.Usage, failure.Kind);
        Assert.Contains(text, failure.Message, StringComparison.Ordinal);
        Assert.NotEmpty(failure.Advice);
    }

    [Theory]
    [InlineData("/srv/vm.img", DestinationKind.Local)]
    [InlineData("./disksync:/x", DestinationKind.Local)]
    [InlineData("backup:vm.img", DestinationKind.Ssh)]
    [InlineData("disksync:/x", DestinationKind.Ssh)]
    [InlineData("unix:/run/s:vm.img", DestinationKind.UnixSocket)]
    public void Every_other_form_stays_what_it_was(string text, DestinationKind kind) =>
        Assert.Equal(kind, DestinationAddress.Parse(text).Kind);

    [Theory]
    [InlineData("tcp:192.0.2.7:99", "tcp:192.0.2.7:99")]
    [InlineData("tcp:192.0.2.7", "tcp:192.0.2.7:7110")]
    [InlineData("tcp:[::1]:0", "tcp:[::1]:0")]
    [InlineData("tcp:[::1]", "tcp:[::1]:7110")]
    [InlineData("tcp::99", "tcp::99")]
    [InlineData("unix:/run/s", "unix:/run/s")]
    public void A_place_to_listen_is_read_and_written(string text, string written) =>
        Assert.Equal(written, ListenAddress.Parse(text).ToString());

    [Theory]
    [InlineData("")]
    [InlineData("tcp:")]
    [InlineData("tcp:::")]
    [InlineData("tcp:host:99")]
    [InlineData("tcp:::1:99")]
    [InlineData("tcp:192.0.2.7:")]
    [InlineData("tcp:192.0.2.7:65536")]
    [InlineData("tcp:[192.0.2.7]:99")]
    [InlineData("unix:")]
    [InlineData("/run/s")]
    public void A_place_to_listen_that_is_wrong_is_refused(string text) =>
        Assert.Equal(FailureKind.Usage, Assert.Throws<DiskSyncException>(() => ListenAddress.Parse(text)).Kind);
}
