# report.pl - hashes, regular expressions, sorting, formats, a child process.
use strict;
use warnings;

my ($rounds) = @ARGV;
my (%count, %length);
while (my $line = <STDIN>) {
    for my $word ($line =~ /\b([a-z_]\w+)\b/g) {
        $count{$word}++;
        $length{length $word}{$word} = 1;
    }
    (my $copy = $line) =~ s/(\w+)\s*\(([^()]*)\)/$1<\U$2>/g;
    print $copy if $. <= $rounds;
}
my @best = sort { $count{$b} <=> $count{$a} || $a cmp $b } keys %count;
printf "%-20s %6d %5.2f%%\n", $_, $count{$_}, 100 * $count{$_} / @best
    for @best[0 .. 9];
printf "%2d: %s\n", $_, join ' ', (sort keys %{$length{$_}})[0]
    for sort { $a <=> $b } keys %length;

my ($x, $sum) = (1, 0);
for my $i (1 .. $rounds * 100) {
    $x = ($x * 1103515245 + 12345) % 2147483648;
    $sum += $x / 2147483648;
}
printf "%.9f %s\n", $sum, unpack 'H*', pack 'NVd<', 1, 2, $sum;

my $pid = open my $pipe, '-|';
die "no child: $!" unless defined $pid;
if ($pid == 0) {
    print "from the child\n";
    exit 3;
}
print while <$pipe>;
close $pipe;
print $? >> 8, "\n", eval { die "caught\n" } // $@;
