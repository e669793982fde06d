# Runs inside a node: a few times a second it says what each pod uses, and once a second, and whenever a line is asked
# for, how much lies on the node's disk and which names were asked for. It ends with its input. Perl, because each node
# image has it.
use strict;
use warnings;
$| = 1;

my $MOST = 4096;
my $second = -e '/sys/fs/cgroup/cgroup.controllers';
my $base = $second ? '/sys/fs/cgroup' : '/sys/fs/cgroup/memory';
my $PAUSE = 0.2;
my (%asked, %seen, %most, %cached, $ticks);

sub content {
    my ($path) = @_;
    open(my $file, '<', $path) or return '';
    local $/;
    my $text = <$file>;
    return defined $text ? $text : '';
}

# Seconds since the host began, to a hundredth.
sub now {
    return content('/proc/uptime') =~ /^([\d.]+)/ ? $1 : time;
}

sub number {
    my ($text, $name) = @_;
    my $pattern = $name ? qr/^\Q$name\E (\d+)/m : qr/^(\d+)/;
    return $text =~ $pattern ? $1 : 0;
}

# Nanoseconds of CPU that a group and all that ever were below it took.
sub cpu {
    my ($place) = @_;
    return 1000 * number(content("$base$place/cpu.stat"), 'usage_usec') if $second;
    return number(content("/sys/fs/cgroup/cpuacct$place/cpuacct.usage"));
}

# Bytes now, bytes of that in the file cache that the kernel would give up first, the most ever, processes.
sub held {
    my ($place) = @_;
    my $group = "$base$place";
    my ($now, $most, $cache) = $second
        ? ('memory.current', 'memory.peak', 'inactive_file')
        : ('memory.usage_in_bytes', 'memory.max_usage_in_bytes', 'total_inactive_file');
    my $pids = $second ? $group : "/sys/fs/cgroup/pids$place";
    return (
        number(content("$group/$now")), number(content("$group/memory.stat"), $cache),
        number(content("$group/$most")), number(content("$pids/pids.current")),
    );
}

# Memory without that cache, as the kubelet counts it: what there is now, or, where the kernel's own mark rose since
# the last look, what there was in between. The mark knows no cache: the larger one of before and after is taken off.
sub pods {
    for my $folder (glob "$base/kubelet*/*/*pod* $base/kubelet*/*/*/*pod*") {
        # A static pod's has no dashes, and is not the one that the API server knows it by.
        my ($uid) = $folder =~ /pod([0-9a-f]{8}(?:[-_]?[0-9a-f]{4}){3}[-_]?[0-9a-f]{12})(?:\.slice)?$/ or next;
        (my $place = $folder) =~ s/^\Q$base\E//;
        $uid =~ tr/_/-/;
        my ($now, $cache, $most, $processes) = held($place);
        my $memory = $now - $cache;
        if ($most > ($most{$uid} || 0)) {
            my $before = $cached{$uid} || 0;
            my $between = $most - ($before > $cache ? $before : $cache);
            $memory = $between if $between > $memory;
        }
        ($most{$uid}, $cached{$uid}) = ($most, $cache);
        printf "pod %s %d %d %d\n", $uid, cpu($place), $memory, $processes;
    }
    # What a pod took after it was last looked at is in the sum alone.
    for my $folder (glob "$base/kubelet*/*kubepods*") {
        (my $place = $folder) =~ s/^\Q$base\E//;
        printf "all %d\n", cpu($place) if -d $folder;
    }
    print "look\n";
}

sub disk {
    my $sum = 0;
    $sum += $1 while `du -skx /var/lib/containerd /var/lib/kubelet /var/log 2>/dev/null` =~ /^(\d+)/mg;
    print "disk $sum\n";
}

# A question is a datagram to port 53, whatever address it goes to.
sub note {
    my ($packet) = @_;
    my $first = ord substr $packet, 0, 1;
    my ($source, $start);
    if ($first >> 4 == 4) {
        return if length $packet < 28 or ord(substr $packet, 9, 1) != 17;
        $source = join '.', unpack 'C4', substr $packet, 12, 4;
        $start = ($first & 15) * 4;
    } else {
        return if length $packet < 48 or ord(substr $packet, 6, 1) != 17;
        $source = join ':', map { sprintf '%x', $_ } unpack 'n8', substr $packet, 8, 16;
        $start = 40;
    }
    return if length $packet < $start + 25 or unpack('n', substr $packet, $start + 2, 2) != 53;
    my $question = substr $packet, $start + 8;
    return if ord(substr $question, 2, 1) & 0x80;
    my ($name, $at) = ('', 12);
    while ($at < length $question) {
        my $size = ord substr $question, $at, 1;
        last if $size == 0 or $size > 63;
        $name .= '.' if $name ne '';
        $name .= substr $question, $at + 1, $size;
        $at += 1 + $size;
    }
    $name =~ s/[^\x21-\x7e]/?/g;
    # The same datagram passes the pod's end of its cable, and perhaps a bridge.
    my $same = join ' ', $source, unpack('n', substr $packet, $start, 2), unpack('n', $question), $name;
    return if $name eq '' or keys %seen >= $MOST or $seen{$same}++;
    $asked{"$source $name"}++;
}

sub say_all {
    pods();
    disk() if $ticks++ % 2 == 0;
    print "dns $_ $asked{$_}\n" for keys %asked;
    %asked = %seen = ();
    print "end\n";
}

# The kernel hands us only what comes in, on any interface, and is a datagram to port 53, of IPv4 or IPv6, from its
# network header on: https://www.kernel.org/doc/Documentation/networking/filter.txt; AF_PACKET, SOCK_DGRAM, all
# protocols; SO_ATTACH_FILTER.
my @filter = (
    [0x20, 0, 0, 0xfffff004], [0x15, 13, 0, 4],                                 # its direction; not outwards
    [0x30, 0, 0, 0], [0x54, 0, 0, 0xf0], [0x15, 0, 5, 0x40],                    # the version of IP
    [0x30, 0, 0, 9], [0x15, 0, 8, 17], [0xb1, 0, 0, 0], [0x48, 0, 0, 2], [0x15, 4, 5, 53],
    [0x30, 0, 0, 6], [0x15, 0, 3, 17], [0x28, 0, 0, 42], [0x15, 0, 1, 53],
    [0x06, 0, 0, 0xffff], [0x06, 0, 0, 0],
);
my $program = join '', map { pack 'SCCL', @$_ } @filter;
my @sockets;
if (socket my $socket, 17, 2, unpack('S', pack 'n', 3)) {
    push @sockets, $socket if setsockopt $socket, 1, 26, pack('S x![P] P', scalar @filter, $program);
}

my ($next, $look) = (now() + 1, now() + $PAUSE);
say_all();
while (1) {
    my $ready = '';
    vec($ready, fileno $_, 1) = 1 for \*STDIN, @sockets;
    my $left = $look - now();
    my $found = select $ready, undef, undef, $left > 0 ? $left : 0;
    if ($found > 0) {
        for my $socket (@sockets) {
            note($_) if vec($ready, fileno $socket, 1) and defined recv($socket, $_, 2048, 0);
        }
        if (vec $ready, fileno STDIN, 1) {
            sysread(STDIN, my $line, 4096) or last;
            say_all();
        }
    }
    my $now = now();
    next if $now < $look;
    $look = $now + $PAUSE;
    if ($now < $next) {
        pods();
    } else {
        $next = $now + 1;
        say_all();
    }
}
