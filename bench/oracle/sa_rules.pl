#!/usr/bin/perl
# sa_rules.pl - what SpamAssassin itself holds after loading rule files.
#
# Prints one TSV line per rule, sorted: name, type, scores of the four score sets,
# tflags, priority, the rule's text, and (for regular expressions, ReplaceTags done) the
# compiled pattern with its flags. It is the reference for the rule reader.
#
# Usage: sa_rules.pl [--site DIR] [--rules DIR]
use strict;
use warnings;
use Getopt::Long;
use File::Temp ();
use Mail::SpamAssassin;

my %o = (site => '/etc/spamassassin', rules => '/usr/share/spamassassin');
GetOptions(\%o, 'site=s', 'rules=s') or die "bad options\n";
my $state = File::Temp::tempdir(CLEANUP => 1);
my $sa = Mail::SpamAssassin->new({
  local_tests_only => 1, dont_copy_prefs => 1, userprefs_filename => '/dev/null',
  userstate_dir => $state, home_dir_for_helpers => $state, username => 'nobody',
  site_rules_filename => $o{site}, rules_filename => $o{rules}, require_rules => 1,
  post_config_text => "allow_user_rules 1\nuse_bayes 0\ndns_available no\n",
});
$sa->init(0);
my $c = $sa->{conf};

my %kind;
{ no strict 'refs';
  for (qw(BODY_TESTS BODY_EVALS HEAD_TESTS HEAD_EVALS RAWBODY_TESTS RAWBODY_EVALS
          FULL_TESTS FULL_EVALS URI_TESTS URI_EVALS META_TESTS RBL_EVALS EMPTY_TESTS)) {
    $kind{ ${"Mail::SpamAssassin::Conf::TYPE_$_"} } = lc $_;
  } }

sub text {
  my $t = shift;
  $t = '' unless defined $t;
  $t =~ s/([\\\t\n\r])/sprintf '\\x%02x', ord $1/ge;
  return $t;
}

for my $name (sort keys %{ $c->{test_types} }) {
  my $qr = $c->{test_qrs}->{$name};
  print join("\t", $name, $kind{ $c->{test_types}->{$name} } // '?',
    (map { $c->{scoreset}->[$_]->{$name} // '' } 0 .. 3),
    $c->{tflags}->{$name} // '', $c->{priority}->{$name} // '',
    text($c->{tests}->{$name}), text(defined $qr ? "$qr" : '')), "\n";
}
