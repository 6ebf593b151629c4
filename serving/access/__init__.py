"""Who may do what: tokens are verified, the policy is asked, explanations are counted."""
