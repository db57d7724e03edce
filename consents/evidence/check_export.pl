#!/usr/bin/perl
# Checks an export of all consent events against checkpoints that were kept somewhere else.
#
#   perl check_export.pl FOLDER EXPORT
#
# FOLDER has the checkpoints (*.checkpoint) and the keys that signed them (*.key); EXPORT is what
# `manage.py export_evidence` wrote. Needs Perl and openssl of any Debian, and nothing of the portal.
# Prints one line for each fault; exits with 1 when there is one.
#
# Formats: c2sp.org/signed-note, c2sp.org/tlog-checkpoint; RFC 6962, section 2.1 (Merkle tree).
use strict;
use warnings;
use Digest::SHA qw(sha256 sha256_hex);
use File::Temp qw(tempdir);
use JSON::PP;
use MIME::Base64;

my ($folder, $export) = @ARGV;
die "usage: perl check_export.pl FOLDER EXPORT\n" unless defined $export && -d $folder;
my $json    = JSON::PP->new->utf8;
my $scratch = tempdir(CLEANUP => 1);
my $faults  = 0;

sub fault {
    my ($text) = @_;
    print "$text\n";
    $faults++;
}

sub content {
    my ($path) = @_;
    open(my $file, '<:raw', $path) or die "$path: $!\n";
    local $/;
    return scalar <$file>;
}

sub write_file {
    my ($name, $data) = @_;
    open(my $file, '>:raw', "$scratch/$name") or die "$scratch/$name: $!\n";
    print $file $data;
    close $file;
    return "$scratch/$name";
}

# --- Keys: name+hash+base64(0x01, public key) --------------------------------------------------
my %keys;
for my $path (glob "'$folder'/*.key") {
    my ($name, $hash, $rest) = content($path) =~ /^([^+\s]+)\+([0-9a-f]{8})\+(\S+)\s*$/
        or do { fault("$path: no key"); next };
    my $key = decode_base64($rest);
    my $computed = unpack 'H8', sha256("$name\n$key");
    if (length $key != 33 || substr($key, 0, 1) ne "\x01" || $computed ne $hash) {
        fault("$path: no Ed25519 key, or not the one that it names");
        next;
    }
    # RFC 8410: what stands before an Ed25519 public key in DER.
    my $der = pack('H*', '302a300506032b6570032100') . substr($key, 1);
    $keys{"$name $hash"} = write_file("$hash.der", $der);
}

# --- Checkpoints: the text, an empty line, signatures ------------------------------------------
my %expected;    # number of events => [[file, root], ...]
my $checkpoints = 0;
for my $path (sort glob "'$folder'/*.checkpoint") {
    my ($name) = $path =~ m{([^/]+)$};
    my ($text, $signatures) = content($path) =~ /\A(.*?\n)\n(.*)\z/s
        or do { fault("$name: no signed note"); next };
    my ($origin, $size, $root) = split /\n/, $text;
    my $is_signed = 0;
    for my $line (split /\n/, $signatures) {
        my ($signer, $base64) = $line =~ /^\xe2\x80\x94 (\S+) (\S+)$/ or next;
        my $raw = decode_base64($base64);
        my $key = $keys{ "$signer " . unpack('H8', $raw) } or next;
        next unless $signer eq $origin;
        my @files = (write_file('text', $text), write_file('signature', substr($raw, 4)));
        $is_signed = 1 if 0 == system("openssl pkeyutl -verify -pubin -keyform DER -inkey '$key'"
                . " -rawin -in '$files[0]' -sigfile '$files[1]' >/dev/null 2>&1");
    }
    if (!$is_signed || $size !~ /^\d+$/) {
        fault("$name: not signed by a key in this folder");
        next;
    }
    $checkpoints++;
    push @{ $expected{$size} }, [$name, decode_base64($root)];
}
fault("no checkpoint in $folder") unless $checkpoints;

# --- Events: each by itself, in the chain of its office, and in the Merkle tree of all ----------
my (%chain, @edge);
my $size = 0;

sub root {
    my $root = $edge[-1];
    $root = sha256("\x01" . $edge[$_] . $root) for reverse 0 .. $#edge - 1;
    return $root;
}

open(my $events, '<:raw', $export) or die "$export: $!\n";
while (my $line = <$events>) {
    $size++;
    my $event = eval { $json->decode($line) };
    my ($text, $fields);
    if (ref $event eq 'HASH' && defined $event->{sealed}) {
        $text = $event->{sealed};
        utf8::encode($text);
        $fields = eval { $json->decode($text) };
    }
    if (ref $fields ne 'HASH') { fault("line $size: no event"); next }
    my ($office, $number) = @{ $fields->{event} }{qw(office number)};
    my $where = "line $size (office $office, event $number)";
    my $hash  = sha256_hex($text);
    fault("$where: changed after it was written") if $hash ne $event->{seal};
    my $people = $event->{salt} . $event->{people};
    utf8::encode($people);
    # Without a salt the names were erased, as the portal may.
    if ($event->{salt} ne '' && sha256_hex($people) ne $fields->{event}{personal}) {
        fault("$where: its names were changed");
    }
    my $last = $chain{$office} || [0, ''];
    fault("$where: the one before it is missing") if $number != $last->[0] + 1;
    fault("$where: does not follow the event before it") if $fields->{before} ne $last->[1];
    $chain{$office} = [$number, $hash];

    push @edge, sha256("\x00" . pack('H*', $hash));
    for (my $full = $size ; $full % 2 == 0 ; $full /= 2) {
        my $right = pop @edge;
        my $left  = pop @edge;
        push @edge, sha256("\x01" . $left . $right);
    }
    for my $checkpoint (@{ delete $expected{$size} || [] }) {
        my ($name, $root) = @$checkpoint;
        fault("$name: the first $size events are not those of this checkpoint") if $root ne root();
    }
}
for my $more (sort { $a <=> $b } keys %expected) {
    fault("$_->[0]: has $more events, the export ends after $size") for @{ $expected{$more} };
}
print "$size events, $checkpoints checkpoints, $faults faults\n";
exit($faults ? 1 : 0);
