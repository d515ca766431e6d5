"""Who may read: the API's keys and what its cursors are sealed with."""
