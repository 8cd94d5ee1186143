# SPDX-License-Identifier: MIT
# perl.pl - what Perl is used for, recorded: lines split into hashes, text rewritten, objects that refer to each other.
use strict;
use warnings;

my $seed = 1;
sub draw { $seed = ($seed * 1103515245 + 12345) % 2147483648; return int($seed / 65536) % $_[0] }

# a log, read line by line: counts by word, lists by key
my @log = map { join ' ', 'host' . draw(40), 'GET', '/page/' . draw(900), draw(2) ? 200 : 404, draw(100000) } 1 .. 4000;
my (%hits, %bytes, %pages);
for my $line (@log) {
    my ($host, $verb, $page, $status, $size) = split ' ', $line;
    $hits{$status}++;
    $bytes{$host} += $size;
    push @{ $pages{$page} }, "$host:$size";
}

# a report: sorted keys, formatted lines, one long string
my $report = '';
for my $page (sort { @{ $pages{$b} } <=> @{ $pages{$a} } || $a cmp $b } keys %pages) {
    $report .= sprintf "%-12s %4d %s\n", $page, scalar @{ $pages{$page} }, join ',', sort @{ $pages{$page} };
}

# text rewritten by regular expressions
(my $text = $report) =~ s/(\d+)/<$1>/g;
my @words = $text =~ /\b(host\d+)\b/g;
my %index;
push @{ $index{ $words[$_] } }, $_ for 0 .. $#words;

# objects: a tree that is built, walked and taken apart, with links to parents made weak
package Node;
use Scalar::Util 'weaken';
sub new {
    my ($class, $name, $parent) = @_;
    my $self = bless { name => $name, children => [] }, $class;
    if ($parent) {
        push @{ $parent->{children} }, $self;
        weaken($self->{parent} = $parent);
    }
    return $self;
}
sub depth { my $self = shift; return $self->{parent} ? 1 + $self->{parent}->depth : 0 }

package main;
my @nodes = (Node->new('root'));
push @nodes, Node->new("node$_", $nodes[ draw(scalar @nodes) ]) for 1 .. 3000;
my $depths = 0;
$depths += $_->depth for @nodes;
my @leaves = grep { !@{ $_->{children} } } @nodes;
@nodes = ();

# closures and sorting by a computed key
my @rules = map { my $n = $_; sub { $_[0] % $n == 0 } } 2 .. 30;
my @kept = grep { my $x = $_; !grep { $x != $_ && $rules[$_ - 2]->($x) } 2 .. 30 } 31 .. 2000;
my @sorted = map { $_->[1] } sort { $a->[0] cmp $b->[0] } map { [ reverse($_), $_ ] } keys %pages;

print join(' ', length $report, length $text, scalar @words, scalar(keys %index), $depths, scalar @leaves,
    scalar @kept, $sorted[0], map { "$_=$hits{$_}" } sort keys %hits), "\n";
